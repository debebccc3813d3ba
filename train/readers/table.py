"""One strictly read table: the columns asked for, where each row lies, and the reader for Parquet."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from train.errors import DataError

SHOWN_NAMES, SHOWN_CHARACTERS = (
    20,
    40,
)  # of a header in an error: what is no table may be a line of a megabyte


@dataclass(frozen=True, eq=False)
class Table:
    """The columns that were asked for and found, as the file has them: strings from text, typed from Parquet.

    locate turns a row (0-based) into the words for an error: `rates.csv:42`, or `ratings.parquet, row 41`.
    """

    path: Path
    sha256: str
    columns: dict[str, pa.ChunkedArray]
    locate: Callable[[int], str]
    typed: bool = False

    @property
    def num_rows(self) -> int:
        """Rows of the file, its header aside."""
        return max(map(len, self.columns.values()), default=0)

    def texts(self, name: str) -> list[str | None]:
        """One column as strings without surrounding blanks; None for an empty value or an absent column."""
        if name not in self.columns:
            return [None] * self.num_rows
        values = self.columns[name].to_pylist()
        return [None if value is None else str(value).strip() or None for value in values]

    def keys(self, name: str) -> list[str | None]:
        """A column of ids as strings, exactly as the file has them; None for an empty one."""
        values = self.columns[name].to_pylist()
        return [None if value in (None, "") else str(value) for value in values]

    def whole_number(self, row: int, name: str) -> int:
        """One value as an int; 1995.0 is one: pandas writes it beside a gap. DataError where it is none."""
        value = str(self.columns[name][row]).strip()
        try:
            return int(value.removesuffix(".0"))
        except ValueError:
            raise DataError(f'{self.locate(row)}: {name} "{value}" is not a whole number') from None


def read_parquet(path: Path, wanted: Sequence[str], optional: Sequence[str] = ()) -> Table:
    """Read the wanted columns, and the optional ones that are there, of a Parquet file.

    Raises DataError on a missing file, one that is not Parquet, and a missing column.
    """
    data = read_bytes(path)
    try:
        file = pyarrow.parquet.ParquetFile(pa.BufferReader(data))
        chosen = choose_columns(path.name, file.schema_arrow.names, wanted, optional)
        table = file.read(columns=chosen)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path.name}: cannot be read as Parquet: {error}") from None
    columns = {name: table.column(name) for name in chosen}
    sha256 = hashlib.sha256(data).hexdigest()
    return Table(path, sha256, columns, lambda row: f"{path.name}, row {row + 1}", typed=True)


def read_bytes(path: Path) -> bytes:
    """The file's bytes. Raises DataError where there is no such file or it may not be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None


def choose_columns(where: str, names: Sequence[str], wanted: Sequence[str], optional: Sequence[str]) -> list[str]:
    """The wanted names, then the optional ones that are there. DataError on a missing or doubled one."""
    missing = [name for name in wanted if name not in names]
    if missing:
        found = ", ".join(name[:SHOWN_CHARACTERS] for name in names[:SHOWN_NAMES]) + (
            ", …" if len(names) > SHOWN_NAMES else ""
        )
        raise DataError(f"{where}: no column {', '.join(missing)}; found: {found}; wanted: {', '.join(wanted)}")
    chosen = list(dict.fromkeys([*wanted, *(name for name in optional if name in names)]))
    doubled = [name for name in chosen if names.count(name) > 1]
    if doubled:
        raise DataError(f"{where}: column {', '.join(doubled)} occurs more than once; allowed is once")
    return chosen
