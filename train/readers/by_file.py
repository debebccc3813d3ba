"""Ratings a file at a time, or a Parquet row group, so that no more is in memory, and any process may read a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from train.dataset.reading import Reading
from train.errors import DataError
from train.readers.columns import Columns, Found
from train.readers.opening import open_source
from train.readers.parquet import ParquetFile
from train.readers.plain import check_columns, choose_columns, chosen_names, tell_numbered, with_catalogue
from train.readers.rules import ReadingRules
from train.readers.source import Place, Source
from train.readers.table import Opened, Table
from train.readers.text import Layout


@dataclass(frozen=True)
class LaterFile:
    """A file after the first one with rows. first: the name of the first file, whose columns it must have."""

    source: Source
    columns: Columns
    first: str

    def read(self, rules: ReadingRules) -> Iterator[Found]:
        """What it holds, a row group at a time; nothing if it has no rows. Raises DataError."""
        opened = open_source(self.source, rules, Layout(fewest=3), Reading())
        for table in _tables(opened, self.columns, self.first):
            yield Found(self.source.path, table, self.columns, opened.described)


@dataclass(frozen=True)
class ByFile:
    """What the first file with rows holds, a row group at a time; the first has the catalogue. And the later files."""

    first: Iterator[Found]
    later: Sequence[LaterFile] = ()


def read_by_file(place: Place, sources: Sequence[Source], rules: ReadingRules, reading: Reading) -> ByFile:
    """Reads until the first row. Raises DataError, also if no file has rows."""
    columns = None
    for number, source in enumerate(sources):
        opened = open_source(source, rules, Layout(fewest=3), reading if columns is None else Reading())
        columns = columns or choose_columns(opened, rules, reading)
        tables = _tables(opened, columns, sources[0].name)
        table = next(tables, None)
        if table is None:
            continue
        if not opened.header:
            tell_numbered(table, columns, rules, reading)
        found = with_catalogue(Found(source.path, table, columns, opened.described), place, sources, rules, reading)
        others = (Found(source.path, one, found.columns, found.described) for one in tables)
        later = [LaterFile(one, columns, sources[0].name) for one in sources[number + 1 :]]
        return ByFile(chain([found], others), later)
    where = sources[0].name if len(sources) == 1 else place.folder
    raise DataError(f"{where}: no ratings; the files end after their headers")


def _tables(opened: Opened, columns: Columns, first: str) -> Iterator[Table]:
    """The tables with rows."""
    chosen = chosen_names(columns)
    check_columns(opened, chosen, first)
    groups = opened.read_groups(chosen) if isinstance(opened, ParquetFile) else iter([opened.read(chosen)])
    return (table for table in groups if table.num_rows or table.bad_lines)
