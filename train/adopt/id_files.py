"""Reads the network's row of each raw id from CSV, JSON, Parquet or .npy, in any order.

The row is the position in the file, or the value in a column of rows. JSON may also be one object, `{"id": row}`, or an
array of ids. If ids go by position, an empty id (`null` in JSON) leaves its row unused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from model.ids import IdMap
from model.vocabulary import Vocabulary
from train.dataset.integer_ids import is_integer_id
from train.dataset.reading import Reading
from train.errors import DataError
from train.readers import names
from train.readers.opening import open_source
from train.readers.rules import ReadingRules
from train.readers.source import JSON_SUFFIXES, Source
from train.readers.text import Layout

_ROW_NAMES = {"row", "index", "idx", "position", "inner", "innerid", "code", "encoded"}
_ID_NAMES = {"id", "rawid", "raw", "key"}
_INT64 = np.iinfo(np.int64)


@dataclass(frozen=True)
class Side:
    """One side of the network. what, one: plural and singular, such as `users` and `user`. role: of its id column."""

    what: str
    one: str
    role: names.Role
    id_column: str | None = None
    row_column: str | None = None


@dataclass(frozen=True)
class NetworkIds:
    """The ids of one side, ascending, and the network's row for each, (n,) int64. `source` is for messages."""

    source: str
    ids: IdMap
    rows: np.ndarray


@dataclass(frozen=True)
class _Listed:
    """Raw ids in the order of a file, and the network's row for each; `locate` names the place of an id."""

    ids: list[Any]
    rows: list[int]
    locate: Callable[[int], str]


def read_network_ids(path: Path, side: Side, header: bool) -> NetworkIds:
    """Reads the ids at `path`.

    Raises:
        DataError: the ids cannot be read, an id or a row occurs twice, or an id is unusable.
    """
    if not path.is_file():
        raise DataError(f"--{side.what}: {path}: no such file")
    if path.suffix == ".npy":
        listed = _numpy_ids(path)
    elif path.suffix.lower() in JSON_SUFFIXES and (found := _plain_json(path)) is not None:
        listed = found
    else:
        listed = _table_ids(path, side, header)
    if not listed.ids:
        raise DataError(f"{path.name}: no {side.what} inside")
    ids = _typed(listed, side)
    order = np.argsort(ids, kind="stable")
    _refuse_repeats(ids, order, listed, f"{side.one} id")
    rows = np.array(listed.rows, dtype=np.int64)
    _refuse_repeats(rows, np.argsort(rows, kind="stable"), listed, "row")
    return NetworkIds(path.name, IdMap(ids[order]), rows[order])


def _numpy_ids(path: Path) -> _Listed:
    try:
        array = np.load(path, allow_pickle=False)
    except (ValueError, OSError) as error:
        way = "save ids as integers or strings: np.save(path, np.array(ids, dtype=str))"
        raise DataError(f"{path.name}: cannot be read as an array without objects ({error}); {way}") from None
    if array.ndim != 1 or array.dtype.kind not in "iuSU":
        raise DataError(
            f"{path.name}: got {array.dtype} of shape {array.shape}; allowed is one dimension of integers or strings"
        )
    values = [one.decode() if isinstance(one, bytes) else one for one in array.tolist()]
    return _by_position(values, lambda place: f"{path.name}[{place}]")


def _plain_json(path: Path) -> _Listed | None:
    """Reads an object from ids to rows, or an array of ids; None if the file holds an array or lines of objects."""
    try:
        found = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError:
        return None  # lines of JSON, or an error, which the reader of tables reports
    if isinstance(found, dict) and all(type(row) is int for row in found.values()):
        keys = list(found)
        return _Listed(keys, list(found.values()), lambda place: f'{path.name}, "{keys[place]}"')
    if isinstance(found, list) and not any(isinstance(one, dict) for one in found):
        return _by_position(found, lambda place: f"{path.name}, item {place + 1}")
    return None


def _by_position(values: list[Any], locate: Callable[[int], str]) -> _Listed:
    places = [place for place, value in enumerate(values) if value is not None]
    return _Listed([values[place] for place in places], places, lambda index: locate(places[index]))


def _table_ids(path: Path, side: Side, header: bool) -> _Listed:
    opened = open_source(Source(path), ReadingRules(header=header), Layout(fewest=1), Reading())
    id_column, row_column = _choose_columns(opened.name, opened.names, opened.header, side)
    table = opened.read([id_column] if row_column is None else [id_column, row_column])
    values: list[Any] = table.columns[id_column].to_pylist()
    if not pa.types.is_integer(table.columns[id_column].type):
        values = list(table.texts(id_column))
    if row_column is None:
        return _by_position(values, table.locate)
    rows = [table.whole_number(place, row_column) for place in range(len(values))]
    for place, value in enumerate(values):
        if value is None:
            raise DataError(f"{table.locate(place)}: {id_column} is empty; every row needs a {side.one} id")
    return _Listed(values, rows, table.locate)


def _choose_columns(where: str, found: list[str], header: bool, side: Side) -> tuple[str, str | None]:
    """The column of ids, and the one of rows, if there is one."""
    row_column = side.row_column
    if row_column is None and header:
        row_names = _ROW_NAMES | {f"{word}{name}" for word in _words(side) for name in _ROW_NAMES}
        row_column = next((name for name in found if _folded(name) in row_names and name != side.id_column), None)
    if row_column is not None and row_column not in found:
        option = f"--{side.one}-row-column"
        raise DataError(f"{where}: no column {row_column}; found: {names.shown(found)}; {option} names the one of rows")
    taken = [row_column] if row_column is not None else []
    chosen = names.choose(side.role, where, found, side.id_column, header, Reading(), taken)
    if chosen is None:
        chosen = next((name for name in found if _folded(name) in _ID_NAMES), None)
    if chosen is None and len(found) == 1:
        way = f"{side.role.option} {found[0]} takes it for a name, --no-header for an id"
        raise DataError(f'{where}:1: is "{found[0]}" the name of a column, or an id? {way}')
    if chosen is None:
        raise names.missing(side.role, where, found, Vocabulary())
    return chosen, row_column


def _words(side: Side) -> tuple[str, ...]:
    return ("user",) if side.what == "users" else (side.one, "movie", "item", "product", "book", "film")


def _folded(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()


def _typed(listed: _Listed, side: Side) -> np.ndarray:
    """The ids as int64 if all are integers, else as UTF-8 bytes."""
    for place, value in enumerate(listed.ids):
        if type(value) not in (int, str):
            raise DataError(f"{listed.locate(place)}: got {value!r}; allowed are integers and strings")
        if value == "" or (isinstance(value, str) and "\0" in value):
            raise DataError(f"{listed.locate(place)}: a {side.one} id may not be empty or hold a NUL character")
    if all(type(value) is int or is_integer_id(value) for value in listed.ids):
        numbers = [int(value) for value in listed.ids]
        for place, number in enumerate(numbers):
            if not _INT64.min <= number <= _INT64.max:
                raise DataError(f"{listed.locate(place)}: id {number} does not fit 64 bits; write the ids as strings")
        return np.array(numbers, dtype=np.int64)
    return np.array([str(value).encode() for value in listed.ids], dtype=np.bytes_)


def _refuse_repeats(values: np.ndarray, order: np.ndarray, listed: _Listed, what: str) -> None:
    ordered = values[order]
    if what == "row" and ordered[0] < 0:
        raise DataError(f"{listed.locate(int(order[0]))}: row {ordered[0]}; allowed is 0 or more")
    same = np.flatnonzero(ordered[1:] == ordered[:-1])
    if len(same):
        first, second = (listed.locate(int(order[same[0] + place])) for place in (0, 1))
        value = values[order[same[0]]]
        shown = value.decode() if isinstance(value, bytes) else value
        raise DataError(f"{second}: {what} {shown} stands at {first} already; each may occur once")
