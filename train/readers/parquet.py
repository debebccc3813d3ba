"""Parquet files, whose columns have types."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

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
        return Table(name, self._sha256, columns, lambda row: f"{name}, row {row + 1}", typed=True)
