"""Choose the reader that opens a source: text, Parquet or JSON Lines."""

from __future__ import annotations

from train.dataset.reading import Reading
from train.readers.json_lines import JsonFile
from train.readers.parquet import ParquetFile
from train.readers.rules import ReadingRules
from train.readers.source import JSON_SUFFIXES, PARQUET_SUFFIXES, Source
from train.readers.table import Opened
from train.readers.text import Layout, TextFile


def is_parquet(source: Source, rules: ReadingRules) -> bool:
    """Whether the file is Parquet, by the option, or else by its suffix."""
    return rules.format == "parquet" or (rules.format not in ("csv", "jsonl") and source.suffix in PARQUET_SUFFIXES)


def is_json(source: Source, rules: ReadingRules) -> bool:
    """Whether the file is JSON, by the option, or else by its suffix."""
    return rules.format == "jsonl" or (rules.format not in ("csv", "parquet") and source.suffix in JSON_SUFFIXES)


def open_source(source: Source, rules: ReadingRules, layout: Layout, reading: Reading) -> Opened:
    """Opens the file in the format of the option, else in the format that its suffix shows. Raises DataError."""
    if is_parquet(source, rules):
        return ParquetFile(source)
    if is_json(source, rules):
        return JsonFile(source, rules)
    return TextFile(source, rules, layout, reading)
