"""Reads the network's row of each raw id from CSV, JSON, Parquet or .npy, in any order.

The row is the position in the file, or the value in a column of rows. JSON may also be one object, `{"id": row}`, or an
array of ids. If ids go by position, an empty id (`null` in JSON) leaves its row unused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from model.ids import IdMap
from train.adopt.id_columns import IdColumns, Side, choose_columns
from train.dataset.integer_ids import is_integer_id
from train.dataset.reading import Reading
from train.errors import DataError
from train.readers.opening import open_source
from train.readers.rules import ReadingRules
from train.readers.source import JSON_SUFFIXES, Source
from train.readers.text import Layout

_INT64 = np.iinfo(np.int64)
_BY_POSITION = "the row is the position"
# An integer, or one that was written as a decimal number.
_WHOLE = re.compile(r"(-?\d+)(?:\.0*)?", re.ASCII)


@dataclass(frozen=True)
class NetworkIds:
    """The ids of one side, ascending, and the network's row of each, (n,) int64.

    source: the file, for messages. found_as: in words, where the ids were found and how each id got its row.
    columns: of a table; None for a file of another kind.
    """

    source: str
    ids: IdMap
    rows: np.ndarray
    found_as: str
    columns: IdColumns | None = None

    @property
    def by_position(self) -> bool:
        """Whether each id got its row by its place in the file."""
        return self.found_as.endswith(_BY_POSITION)


@dataclass(frozen=True)
class _Listed:
    """Raw ids in the order of a file, and the network's row for each; `locate` names the place of an id.

    empty: names the first place without an id, if there is one.
    """

    ids: list[Any]
    rows: list[int]
    locate: Callable[[int], str]
    found_as: str = _BY_POSITION
    columns: IdColumns | None = None
    empty: str = ""


def read_network_ids(
    path: Path, side: Side, header: bool, reading: Reading, only_integers: bool = False, all_rows: bool = False
) -> NetworkIds:
    """Reads the ids at `path`. Doubtful choices become warnings of `reading`.

    only_integers: refuse any other id; `7.0` is 7. all_rows: refuse a row without an id.

    Raises:
        DataError: the ids cannot be read, an id or a row occurs twice, or an id is unusable.
    """
    if not path.is_file():
        told = "is a folder; allowed is a file" if path.is_dir() else "no such file"
        raise DataError(f"--{side.what}: {path}: {told}")
    if path.suffix == ".npy":
        listed = _numpy_ids(path)
    elif path.suffix.lower() in JSON_SUFFIXES and (found := _plain_json(path)) is not None:
        listed = found
    else:
        listed = _table_ids(path, side, header, reading)
    if not listed.ids:
        raise DataError(f"{path.name}: contains no {side.what}")
    if all_rows and listed.empty:
        raise DataError(f"{listed.empty}: the {side.one} id is empty: give one, or remove the row")
    if only_integers:
        listed = replace(listed, ids=[_integer(listed, place, side) for place in range(len(listed.ids))])
    ids = _typed(listed, side)
    order = np.argsort(ids, kind="stable")
    _refuse_repeats(ids, order, listed, f"{side.one} id")
    rows = _whole_rows(listed)
    _refuse_repeats(rows, np.argsort(rows, kind="stable"), listed, "row")
    return NetworkIds(path.name, IdMap(ids[order]), rows[order], listed.found_as, listed.columns)


def _numpy_ids(path: Path) -> _Listed:
    try:
        array = np.load(path, allow_pickle=False)
    except (ValueError, OSError) as error:
        way = "save ids as integers or strings: np.save(path, np.array(ids, dtype=str))"
        raise DataError(f"{path.name}: cannot be read as an array of integers or strings ({error}); {way}") from None
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
        return None  # lines of JSON, or damaged JSON, which the table reader reports
    if isinstance(found, dict) and not any(isinstance(row, list | dict) for row in found.values()):
        keys = list(found)
        wrong = next((key for key, row in found.items() if type(row) is not int), None)
        if wrong is not None:
            told = f'{path.name}, "{wrong}": the row is {orjson.dumps(found[wrong]).decode()}'
            raise DataError(f'{told}; allowed are whole numbers, such as {{"{wrong}": 0}}')
        return _Listed(
            keys, list(found.values()), lambda place: f'{path.name}, "{keys[place]}"', "the row is the value"
        )
    if isinstance(found, list) and not any(isinstance(one, dict) for one in found):
        return _by_position(found, lambda place: f"{path.name}, item {place + 1}")
    return None


def _by_position(values: list[Any], locate: Callable[[int], str]) -> _Listed:
    places = [place for place, value in enumerate(values) if value is not None]
    empty = next((locate(place) for place, value in enumerate(values) if value is None), "")
    return _Listed([values[place] for place in places], places, lambda index: locate(places[index]), empty=empty)


def _table_ids(path: Path, side: Side, header: bool, reading: Reading) -> _Listed:
    opened = open_source(Source(path), ReadingRules(header=header), Layout(fewest=1), reading)
    columns = choose_columns(opened.name, opened.names, opened.header, side, reading)
    id_column, row_column = columns.id, columns.row
    table = opened.read([id_column] if row_column is None else [id_column, row_column])
    values: list[Any] = table.columns[id_column].to_pylist()
    if not pa.types.is_integer(table.columns[id_column].type):
        values = list(table.texts(id_column))
    taken = f"{id_column} for {side.what}"
    if row_column is None:
        return replace(_by_position(values, table.locate), found_as=f"{taken}; {_BY_POSITION}", columns=columns)
    rows = [table.whole_number(place, row_column) for place in range(len(values))]
    for place, value in enumerate(values):
        if value is None:
            raise DataError(f"{table.locate(place)}: {id_column} is empty; every row needs a {side.one} id")
    shown = row_column or "without a name"
    return _Listed(values, rows, table.locate, f"{taken}; the row is in column {shown}", columns)


def _integer(listed: _Listed, place: int, side: Side) -> int:
    value = listed.ids[place]
    whole = _WHOLE.fullmatch(str(value))
    if whole is None or not is_integer_id(whole[1]):
        told = f"{listed.locate(place)}: {side.one} id {value!r} is not an integer"
        raise DataError(f"{told}, and the version has integer ids: correct it, or remove it")
    return int(whole[1])


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


def _whole_rows(listed: _Listed) -> np.ndarray:
    for place, row in enumerate(listed.rows):
        if not 0 <= row <= _INT64.max:
            raise DataError(f"{listed.locate(place)}: row {row}; allowed is 0 or more, within 64 bits")
    return np.array(listed.rows, dtype=np.int64)


def _refuse_repeats(values: np.ndarray, order: np.ndarray, listed: _Listed, what: str) -> None:
    ordered = values[order]
    same = np.flatnonzero(ordered[1:] == ordered[:-1])
    if len(same):
        first, second = (listed.locate(int(order[same[0] + place])) for place in (0, 1))
        value = values[order[same[0]]]
        shown = value.decode() if isinstance(value, bytes) else value
        raise DataError(f"{second}: {what} {shown} occurs a second time, first at {first}; allowed is once")
