"""Parquet files, whose columns have types."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import partial

import pyarrow as pa
import pyarrow.parquet

from train.errors import DataError
from train.readers.source import Source
from train.readers.table import Table


class ParquetFile:
    """A Parquet file; `read` returns some of its columns."""

    header = True
    described = "Parquet"

    def __init__(self, source: Source) -> None:
        """Raises DataError if the file is not Parquet."""
        data = source.read()
        self.name = source.name
        self._sha256 = hashlib.sha256(data).hexdigest()
        try:
            self._file = pyarrow.parquet.ParquetFile(pa.BufferReader(data))
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{self.name}: cannot be read as Parquet: {error}") from None
        self.names = list(self._file.schema_arrow.names)

    def read(self, chosen: Sequence[str]) -> Table:
        """Reads these columns. Raises DataError if the file is damaged."""
        try:
            table = self._file.read(columns=list(chosen))
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{self.name}: cannot be read as Parquet: {error}") from None
        name = self.name
        columns = {column: table.column(column) for column in chosen}
        return Table(name, self._sha256, columns, partial(_place, name, 0), typed=True)

    def read_groups(self, chosen: Sequence[str]) -> Iterator[Table]:
        """The same, a row group at a time."""
        name, start = self.name, 0
        for number in range(self._file.num_row_groups):
            try:
                table = self._file.read_row_group(number, columns=list(chosen))
            except (pa.ArrowException, OSError) as error:
                raise DataError(f"{name}: cannot be read as Parquet: {error}") from None
            columns = {column: table.column(column) for column in chosen}
            yield Table(name, self._sha256, columns, partial(_place, name, start), typed=True)
            start += len(table)


def _place(name: str, start: int, row: int) -> str:
    return f"{name}, row {start + row + 1}"
