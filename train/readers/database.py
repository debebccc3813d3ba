"""Ratings in a database: a table or the result of a query, and a catalogue from a second query."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import pyarrow as pa

from train.dataset.reading import Reading, listed
from train.errors import DataError
from train.readers.rules import ReadingRules
from train.readers.table import Table


@dataclass(frozen=True)
class Column:
    """A column: its name, the SQL expression that reads it, and whether its type is a time."""

    name: str
    sql: str
    is_time: bool = False


class Rows(NamedTuple):
    """Columns by name. `typed`: every column has one type; if not, the rules for text files decide the type of ids."""

    columns: dict[str, pa.ChunkedArray]
    typed: bool


class Database(Protocol):
    """A connection. Every method raises DataError.

    name: for messages. database: only the database's name. kind: such as `PostgreSQL`.
    """

    name: str
    database: str
    kind: str

    def close(self) -> None:
        """Ends it."""

    def tables(self) -> dict[str, str]:
        """The tables and views: name -> the name in SQL."""
        ...

    def columns(self, relation: str) -> list[Column]:
        """The columns of a table, or of a query in brackets."""
        ...

    def rows(self, select: str) -> Rows:
        """What a query gives."""
        ...

    def since(self, column: Column, value: str) -> str:
        """A SQL condition: the column is at least the value, which is a number or a time."""
        ...


class Relation:
    """A table or a query; it implements `Opened` (train/readers/table.py), like a file."""

    header = True

    def __init__(self, database: Database, sql: str, described: str, since: str | None = None) -> None:
        """sql: the table's name in SQL, or a query in brackets. since: read only rows from this time on.

        Raises:
            DataError: the database has no such table, or rejects the query.
        """
        self._database = database
        self._sql = sql
        self._columns = {column.name: column for column in database.columns(sql)}
        self._since = since
        self.name = database.name
        self.names = list(self._columns)
        self.described = f"{database.kind}, {described}"

    def read(self, chosen: Sequence[str]) -> Table:
        """Reads these columns; the fourth one is the time. Rows are sorted, so that equal rows give equal splits.

        Raises:
            DataError: the database fails, or `since` is given and there is no column of times.
        """
        columns = [self._columns[name] for name in chosen]
        asked = ", ".join(f"{column.sql} as {quoted(column.name)}" for column in columns)
        places = ", ".join(map(str, range(1, len(columns) + 1)))
        where = f" where {self._condition(columns[3:])}" if self._since is not None else ""
        select = f"select {asked} from {self._sql} as asked{where} order by {places}"  # noqa: S608  # nosec B608
        rows, typed = self._database.rows(select)

        def locate(row: int) -> str:
            shown = " and ".join(f"{name} {rows[name][row]}" for name in chosen[:2])
            return f"{self.name}, the row of {shown}"

        return Table(self.name, _digest(rows), rows, locate, typed)

    def _condition(self, times: Sequence[Column]) -> str:
        if not times:
            raise DataError(f"{self.name}: --since needs a column of times; found: {listed(self.names)}")
        return self._database.since(times[0], str(self._since))


def ratings_relation(database: Database, rules: ReadingRules, stems: Sequence[str], reading: Reading) -> Relation:
    """The table or query of the options, else the table with a usual name for ratings.

    Raises DataError if no table or several tables fit.
    """
    if rules.query is not None:
        return Relation(database, in_brackets(rules.query), "a query", rules.since)
    tables = database.tables()
    name = _table(database, tables, rules.table, stems)
    if rules.table is None and len(tables) > 1:
        reading.say(f"{database.name}: table {name} is used for the ratings; --table or --query chooses another")
    return Relation(database, tables[name], f"table {name}", rules.since)


def in_brackets(query: str) -> str:
    """A query as part of another one."""
    return f"({query.strip().rstrip(';').rstrip()}\n)"


def quoted(name: str) -> str:
    """A name quoted for SQL; it may contain any characters."""
    return '"' + name.replace('"', '""') + '"'


def text_literal(value: str) -> str:
    """A text as a SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def _table(database: Database, tables: dict[str, str], asked: str | None, stems: Sequence[str]) -> str:
    if asked is not None:
        alike = [name for name in tables if name == asked] or [n for n in tables if n.lower() == asked.lower()]
        if len(alike) == 1:
            return alike[0]
        raise DataError(f"{database.name}: no table {asked}; found: {listed(list(tables)) or 'none'}")
    called = [name for name in tables if name.lower() in stems]
    if len(called) == 1 or len(tables) == 1:
        return (called or list(tables))[0]
    found = listed(list(tables)) if tables else "none"
    raise DataError(f"{database.name}: which table has the ratings? Found: {found}; name it with --table or --query")


def _digest(rows: dict[str, pa.ChunkedArray]) -> str:
    digest = hashlib.sha256(repr([(name, str(column.type)) for name, column in rows.items()]).encode())
    for batch in pa.table(rows).combine_chunks().to_batches():
        digest.update(batch.serialize())
    return digest.hexdigest()
