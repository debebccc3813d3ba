"""A SQLite database, read by Python's own driver."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from train.errors import DataError
from train.readers.database import Column, Rows, quoted, text_literal

_ROWS_AT_ONCE = 100_000
_NUMBER = re.compile(r"-?[0-9]+([.][0-9]+)?")
_TABLES = "select name from sqlite_master where type in ('table', 'view') and name not like 'sqlite_%' order by name"


class Sqlite:
    """A read-only connection to a file."""

    kind = "SQLite"

    def __init__(self, path: Path) -> None:
        """Raises DataError if the file does not exist or is not a database."""
        self.name = self.database = path.name
        if not path.is_file():
            raise DataError(f"{path}: no such file")
        self._connection = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()

    def tables(self) -> dict[str, str]:
        """The tables and views: name -> the name in SQL."""
        _, rows = self._fetch(_TABLES)
        return {name: quoted(name) for chunk in rows for (name,) in chunk}

    def columns(self, relation: str) -> list[Column]:
        """The columns of a table or of a query in brackets."""
        names, _ = self._fetch(f"select * from {relation} as asked limit 0")  # noqa: S608  # nosec B608
        return [Column(name, quoted(name)) for name in names]

    def rows(self, select: str) -> Rows:
        """The rows of a query. In SQLite each value has its own type; a column gets one that fits all values."""
        names, chunks = self._fetch(select)
        parts = [list(zip(*chunk, strict=True)) for chunk in chunks]
        values = {name: [part[place] for part in parts] for place, name in enumerate(names)}
        kinds = {name: _kinds(chunks) for name, chunks in values.items()}
        mixed = any(str in found and len(found) > 1 for found in kinds.values())
        return Rows({name: self._typed(name, values[name], kinds[name]) for name in names}, typed=not mixed)

    def since(self, column: Column, value: str) -> str:
        """A SQL condition: the column is at least the value, which is a number or a time."""
        return f"{column.sql} >= {value if _NUMBER.fullmatch(value) else text_literal(value)}"

    def _fetch(self, sql: str) -> tuple[list[str], list[list[tuple[Any, ...]]]]:
        try:
            cursor = self._connection.execute(sql)
            names = [one[0] for one in cursor.description]
            return names, list(iter(lambda: cursor.fetchmany(_ROWS_AT_ONCE), []))
        except sqlite3.Error as error:
            raise DataError(f"{self.name}: SQLite answered: {error}") from None

    def _typed(self, name: str, chunks: list[tuple[Any, ...]], kinds: set[type]) -> pa.ChunkedArray:
        if bytes in kinds:
            raise DataError(f"{self.name}: {name} contains blobs; allowed are numbers and text")
        if len(kinds) > 1:
            common = str if str in kinds else float
            chunks = [tuple(None if value is None else common(value) for value in chunk) for chunk in chunks]
            kinds = {common}
        types = {int: pa.int64(), float: pa.float64(), str: pa.string()}
        kind = types[kinds.pop()] if kinds else pa.null()
        return pa.chunked_array([pa.array(chunk, kind) for chunk in chunks], type=kind)


def _kinds(chunks: list[tuple[Any, ...]]) -> set[type]:
    """The types of the values, except null."""
    found: set[type] = set()
    for chunk in chunks:
        found.update(map(type, chunk))
    return found - {type(None)}
