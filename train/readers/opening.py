"""Choose the reader that opens a source: text, Parquet or JSON Lines."""

from __future__ import annotations

from train.dataset.reading import Reading
from train.readers.json_lines import JsonFile
from train.readers.parquet import ParquetFile
from train.readers.rules import ReadingRules
from train.readers.source import JSON_SUFFIXES, PARQUET_SUFFIXES, Source
from train.readers.table import Opened
from train.readers.text import Layout, TextFile


def open_source(source: Source, rules: ReadingRules, layout: Layout, reading: Reading) -> Opened:
    """Opens the file in the format of the option, else in the format that its suffix shows. Raises DataError."""
    said = rules.format if rules.format in ("csv", "parquet", "jsonl") else None
    if said == "parquet" or (said is None and source.suffix in PARQUET_SUFFIXES):
        return ParquetFile(source)
    if said == "jsonl" or (said is None and source.suffix in JSON_SUFFIXES):
        return JsonFile(source, rules)
    return TextFile(source, rules, layout, reading)
