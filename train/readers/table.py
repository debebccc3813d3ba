"""One table as read from a file: the requested columns, and the position of each row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from train.errors import DataError


@dataclass(frozen=True, eq=False)
class Table:
    """The columns that were asked for: strings from text, typed from Parquet, JSON and databases.

    name: of the file, for messages.
    sha256: of the unpacked bytes, in hexadecimal.
    locate: turns a row (0-based) into the words for an error: `rates.csv:42`, or `ratings.parquet, row 41`.
    bad_lines: (where, what is wrong) of every line that was left out, because it cannot be cut into fields.
    mixed: names of columns whose types differ from row to row; they are text here, and the rules for text decide.
    quotes_are_text: whether a quote is a character like any other, so that one in an id is a fault.
    """

    name: str
    sha256: str
    columns: dict[str, pa.ChunkedArray]
    locate: Callable[[int], str]
    typed: bool = False
    bad_lines: tuple[str, ...] = field(default=())
    quotes_are_text: bool = False
    mixed: frozenset[str] = frozenset()

    @property
    def num_rows(self) -> int:
        """Rows of the file, its header aside."""
        return max(map(len, self.columns.values()), default=0)

    def texts(self, name: str | None) -> list[str | None]:
        """One column as strings without surrounding blanks; None for an empty value or an absent column."""
        if name is None or name not in self.columns:
            return [None] * self.num_rows
        values = self.columns[name].to_pylist()
        return [None if value is None else str(value).strip() or None for value in values]

    def whole_number(self, row: int, name: str) -> int:
        """One value as an int; 1995.0 is one: pandas writes it beside a gap. DataError where it is none."""
        value = str(self.columns[name][row]).strip()
        try:
            return int(value.removesuffix(".0"))
        except ValueError:
            raise DataError(f'{self.locate(row)}: {name} "{value}" is not a whole number') from None


class Opened(Protocol):
    """A file whose columns are known and not yet read.

    name, names: of the file and its columns. header: whether the file names them; else they are numbered from 1.
    described: how the file is written, in words.
    """

    name: str
    names: list[str]
    header: bool
    described: str

    def read(self, chosen: Sequence[str]) -> Table:
        """These columns. Raises DataError."""
        ...


def joined(tables: Sequence[Table], sha256: str) -> Table:
    """The parts of one table, one after the other."""
    first = tables[0]
    if len(tables) == 1:
        return first
    parts = [pa.table(table.columns) for table in tables]
    try:
        whole = pa.concat_tables(parts, promote_options="permissive")  # int32 and int64, or integers and floats
    except pa.ArrowException as error:
        raise DataError(f"{first.name} and its other parts: columns of unlike types: {error}") from None
    ends: list[int] = []
    for table in tables:
        ends.append((ends[-1] if ends else 0) + table.num_rows)

    def locate(row: int) -> str:
        part = next(index for index, end in enumerate(ends) if row < end)
        return tables[part].locate(row - (ends[part] - tables[part].num_rows))

    columns = {name: whole.column(name) for name in first.columns}
    bad_lines = tuple(line for table in tables for line in table.bad_lines)
    quotes = any(table.quotes_are_text for table in tables)
    mixed = frozenset(name for table in tables for name in table.mixed)
    return Table(first.name, sha256, columns, locate, first.typed, bad_lines, quotes, mixed)
