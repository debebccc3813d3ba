"""Choose the reader that opens a source: text, Parquet or JSON Lines."""

from __future__ import annotations

from train.dataset.reading import Reading
from train.readers.json_lines import JsonFile
from train.readers.parquet import ParquetFile
from train.readers.rules import ReadingRules
from train.readers.source import JSON_SUFFIXES, PARQUET_SUFFIXES, Source
from train.readers.table import Opened
from train.readers.text import Layout, TextFile


def is_text(source: Source, rules: ReadingRules) -> bool:
    """Whether the file is delimited text, by the option or else by its suffix."""
    if rules.format in ("parquet", "jsonl"):
        return False
    return rules.format == "csv" or source.suffix not in (*PARQUET_SUFFIXES, *JSON_SUFFIXES)


def open_source(source: Source, rules: ReadingRules, layout: Layout, reading: Reading) -> Opened:
    """Opens the file in the format of the option, else in the format that its suffix shows. Raises DataError."""
    if is_text(source, rules):
        return TextFile(source, rules, layout, reading)
    if rules.format == "parquet" or (rules.format != "jsonl" and source.suffix in PARQUET_SUFFIXES):
        return ParquetFile(source)
    return JsonFile(source, rules)
