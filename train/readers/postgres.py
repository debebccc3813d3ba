"""A PostgreSQL database, read in columns by ADBC."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.compute as pc

from train.errors import DataError
from train.readers.address import shown_name
from train.readers.database import Column, Rows, quoted, text_literal

# Types that Arrow has too; all other types are read as text.
_PLAIN = {"int2", "int4", "int8", "float4", "float8", "numeric", "bool", "text", "varchar", "bpchar", "date"}
_TIMES = {"timestamp", "timestamptz"}
_NUMBER = re.compile(r"-?[0-9]+([.][0-9]+)?")
_TABLES = """
    select case when table_schema = current_schema() then table_name else table_schema || '.' || table_name end::text,
        format('%I.%I', table_schema, table_name)
    from information_schema.tables where table_schema not in ('pg_catalog', 'information_schema') order by 1
"""


class Postgres:
    """A connection. It takes the password from the environment (PGPASSWORD, or the file ~/.pgpass)."""

    kind = "PostgreSQL"

    def __init__(self, url: str) -> None:
        """Raises DataError if the driver is missing or the database refuses the connection."""
        self.name = shown_name(url)
        self.database = unquote(urlsplit(url).path.strip("/")) or self.kind
        try:
            from adbc_driver_manager import Error
            from adbc_driver_postgresql.dbapi import connect
        except ImportError:
            way = ".venv/bin/python -m pip install -c constraints.txt --group postgres"
            raise DataError(f"{self.name}: the driver of PostgreSQL is not installed: `{way}`") from None
        self._errors = (Error, pa.ArrowException, OSError)
        try:
            self._connection = connect(url)
        except self._errors as error:
            raise self._told(error) from None

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()

    def tables(self) -> dict[str, str]:
        """The tables and views: name -> the name in SQL."""
        found = self._fetch(_TABLES)
        return dict(zip(found.column(0).to_pylist(), found.column(1).to_pylist(), strict=True))

    def columns(self, relation: str) -> list[Column]:
        """The columns of a table or of a query in brackets."""
        schema = self._fetch(f"select * from {relation} as asked limit 0").schema  # noqa: S608  # nosec B608
        return [_column(field) for field in schema]

    def rows(self, select: str) -> Rows:
        """What a query gives."""
        found = self._fetch(select)
        return Rows({name: _plain(found.column(name)) for name in found.column_names}, typed=True)

    def since(self, column: Column, value: str) -> str:
        """A SQL condition: the column is at least the value, which is a number or a time."""
        number = _NUMBER.fullmatch(value) is not None
        literal = value if number else text_literal(value)
        if number and column.is_time:
            literal = f"to_timestamp({value})"
        return f"{column.sql} >= {literal}"

    def _fetch(self, sql: str) -> pa.Table:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetch_arrow_table()
        except self._errors as error:
            raise self._told(error) from None

    def _told(self, error: BaseException) -> DataError:
        """PostgreSQL's own error message, in one line."""
        text = str(error)
        said = re.search(r"(?:ERROR|FATAL|PANIC):\s*(.+)", text)
        words = said[1] if said else re.sub(r"^[A-Z_]+: (\[libpq\] )?", "", text).split("\n")[0]
        return DataError(f"{self.name}: PostgreSQL answered: {words.strip()}")


def _column(field: Any) -> Column:
    kind = (field.metadata or {}).get(b"POSTGRESQL:type", b"").decode()
    keeps = kind in _PLAIN or kind in _TIMES or pa.types.is_list(field.type)
    sql = quoted(field.name) if keeps else f"{quoted(field.name)}::text"
    return Column(field.name, sql, kind in _TIMES)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Converts type numeric, which arrives as text: to exact decimals if they fit, else to floats."""
    if not isinstance(column.type, pa.BaseExtensionType):
        return column
    texts = pa.chunked_array([chunk.storage for chunk in column.chunks], type=column.type.storage_type)
    try:
        return pc.cast(texts, pa.decimal128(38, 10))
    except pa.ArrowException:
        return pc.cast(texts, pa.float64())
