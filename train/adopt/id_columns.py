"""Which column of a table holds the ids of one side of a network, and which one the network's rows."""

from __future__ import annotations

import re
from dataclasses import dataclass

from model.vocabulary import Vocabulary, counted
from train.dataset.reading import Reading
from train.errors import DataError
from train.readers import names

_ROW_NAMES = {"row", "index", "idx", "position", "inner", "innerid", "code", "encoded"}
_ID_NAMES = {"id", "rawid", "raw", "key"}
# What pandas calls its own index, in a file and once read again.
_PANDAS_INDEX = {"", "unnamed0"}


@dataclass(frozen=True)
class Side:
    """One side of the network: users or items.

    what, one: its word in the plural and singular. role: what a column of its ids is called.
    """

    what: str
    one: str
    role: names.Role
    id_column: str | None = None
    row_column: str | None = None

    @property
    def row_option(self) -> str:
        """The option that names the column of rows."""
        return "--user-row-column" if self.what == "users" else "--movie-row-column"


@dataclass(frozen=True)
class IdColumns:
    """The columns of a table of ids. row: None if the row is the position. others: neither ids nor rows."""

    id: str
    row: str | None
    others: list[str]


def choose_columns(where: str, found: list[str], header: bool, side: Side, reading: Reading) -> IdColumns:
    """The column of ids, and the one of rows, if there is one. Warns if another column may also hold the ids.

    Raises:
        DataError: no column holds ids, or a named column does not exist.
    """
    row_column = _named_rows(where, found, side) if side.row_column is not None else None
    if row_column is None and header:
        row_column = _recognised_rows(found, side)
    taken = [row_column] if row_column is not None else []
    id_column = _chosen_ids(where, found, header, taken, side, reading)
    return IdColumns(id_column, row_column, [name for name in found if name not in (id_column, row_column)])


def _chosen_ids(where: str, found: list[str], header: bool, taken: list[str], side: Side, reading: Reading) -> str:
    if side.id_column is None and not header:
        return _of_no_header(where, found, taken, side)
    chosen = names.choose(side.role, where, found, side.id_column, header, reading, taken)
    if chosen is None:
        chosen = next((name for name in found if _folded(name) in _ID_NAMES), None)
    if chosen is None and len(found) == 1:
        way = f"{side.role.option} {found[0]} says that it is a name, --no-header that it is an id"
        raise DataError(f'{where}:1: "{found[0]}" may be a column name or an id: {way}')
    if chosen is None:
        raise names.missing(side.role, where, found, Vocabulary())
    return chosen


def _named_rows(where: str, found: list[str], side: Side) -> str:
    """The column of rows that an option names, by its name or its number."""
    name = str(side.row_column)
    if name in found:
        return name
    if name.isdecimal() and 1 <= int(name) <= len(found):
        return found[int(name) - 1]
    raise DataError(
        f"{where}: no column {name}; found: {names.shown(found)}; {side.row_option} names the column of rows"
    )


def _recognised_rows(found: list[str], side: Side) -> str | None:
    row_names = _ROW_NAMES | {f"{word}{name}" for word in _words(side) for name in _ROW_NAMES}
    by_name = (name for name in found if _folded(name) in row_names and name != side.id_column)
    index = found[0] if len(found) > 1 and _folded(found[0]) in _PANDAS_INDEX else None
    return next(by_name, index)


def _of_no_header(where: str, found: list[str], taken: list[str], side: Side) -> str:
    """The only column that is not one of rows."""
    others = [name for name in found if name not in taken]
    if len(others) == 1:
        return others[0]
    told = f"got {counted(len(found), 'column')} and no header line"
    way = f"say which column is which, as in {side.role.option} 1 {side.row_option} 2"
    raise DataError(f"{where}: {told}: {way}")


def _words(side: Side) -> tuple[str, ...]:
    return ("user",) if side.what == "users" else (side.one, "movie", "item", "product", "book", "film")


def _folded(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()
