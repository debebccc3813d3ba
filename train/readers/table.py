"""One table as read from a file: the requested columns, and the position of each row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import pyarrow as pa

from train.errors import DataError


class WholeFileError(DataError):
    """A block of a file cannot decide alone how the file is read. Whoever reads blocks then reads the whole file."""


class BadLine(NamedTuple):
    """A line that was left out because it cannot be split into fields.

    row: the number of rows before it. told: its place and its fault.
    """

    row: int
    told: str


@dataclass(frozen=True, eq=False)
class Table:
    """The requested columns: strings from text files, typed columns from Parquet, JSON and databases.

    name: of the file, for messages.
    sha256: of the unpacked bytes, in hexadecimal.
    locate: names a row (0-based) for an error: `rates.csv:42`, or `ratings.parquet, row 41`.
    bad_lines: in the order of the file.
    mixed: names of columns whose types differ from row to row; they are text here, and follow the rules for text.
    quotes_are_text: whether a quote is an ordinary character, so that a quote in an id is an error.
    part: whether these are the rows of one block of a file.
    """

    name: str
    sha256: str
    columns: dict[str, pa.ChunkedArray]
    locate: Callable[[int], str]
    typed: bool = False
    bad_lines: tuple[BadLine, ...] = field(default=())
    quotes_are_text: bool = False
    mixed: frozenset[str] = frozenset()
    part: bool = False

    @property
    def num_rows(self) -> int:
        """The number of rows of the file, without its header."""
        return max(map(len, self.columns.values()), default=0)

    def texts(self, name: str | None) -> list[str | None]:
        """One column as strings without surrounding blanks; None for an empty value or an absent column."""
        if name is None or name not in self.columns:
            return [None] * self.num_rows
        values = self.columns[name].to_pylist()
        return [None if value is None else str(value).strip() or None for value in values]

    def whole_number(self, row: int, name: str) -> int:
        """One value as an int; 1995.0 is allowed, because pandas writes it if the column has gaps. Raises DataError."""
        value = str(self.columns[name][row]).strip()
        try:
            return int(value.removesuffix(".0"))
        except ValueError:
            raise DataError(f'{self.locate(row)}: {name} "{value}" is not a whole number') from None


class Opened(Protocol):
    """A file whose columns are known but not yet read.

    name, names: of the file and of its columns. header: whether the file names its columns; else they are numbered
    from 1. described: how the file is written, in words.
    """

    name: str
    names: list[str]
    header: bool
    described: str

    def read(self, chosen: Sequence[str]) -> Table:
        """Reads these columns. Raises DataError."""
        ...


def joined(tables: Sequence[Table], sha256: str) -> Table:
    """Joins the parts of one table, in order."""
    first = tables[0]
    if len(tables) == 1:
        return first
    parts = [pa.table(table.columns) for table in tables]
    try:
        whole = pa.concat_tables(parts, promote_options="permissive")  # int32 and int64, or integers and floats
    except pa.ArrowException as error:
        raise DataError(f"{first.name} and its other parts: columns of different types: {error}") from None
    ends: list[int] = []
    for table in tables:
        ends.append((ends[-1] if ends else 0) + table.num_rows)

    def locate(row: int) -> str:
        part = next(index for index, end in enumerate(ends) if row < end)
        return tables[part].locate(row - (ends[part] - tables[part].num_rows))

    columns = {name: whole.column(name) for name in first.columns}
    starts = [0, *ends]
    bad_lines = tuple(
        BadLine(start + line.row, line.told)
        for start, table in zip(starts, tables, strict=False)
        for line in table.bad_lines
    )
    quotes = any(table.quotes_are_text for table in tables)
    mixed = frozenset(name for table in tables for name in table.mixed)
    return Table(first.name, sha256, columns, locate, first.typed, bad_lines, quotes, mixed)
