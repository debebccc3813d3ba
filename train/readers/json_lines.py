"""JSON Lines: one object per line, whose fields are the columns; or one JSON array of such objects."""

from __future__ import annotations

import codecs
import contextlib
import hashlib
import json
from collections.abc import Sequence
from functools import partial
from typing import Any

import orjson
import pyarrow as pa

from train.errors import DataError
from train.readers.encoding import decode, is_utf8
from train.readers.rules import ReadingRules
from train.readers.source import Readable
from train.readers.table import BadLine, Table, WholeFileError

_SAMPLE_OBJECTS = 100


class JsonFile:
    """A file of JSON objects; `read` returns some of their fields as columns. A missing field is null.

    shows_names: whether it has so many objects that more of them would not change `names`.
    """

    header = True

    def __init__(self, source: Readable, rules: ReadingRules, lines_before: int | None = None) -> None:
        """lines_before: if the source is a block of a file of lines, how many lines of the file come before it.

        Raises:
            DataError: a line is not a JSON object, or the file is empty.
            WholeFileError: a block cannot tell.
        """
        data = source.read()
        part, self._before = lines_before is not None, lines_before or 0
        if part and not is_utf8(data):
            raise WholeFileError(f"{source.name}: may not be UTF-8")
        self.name = source.name
        self._sha256 = hashlib.sha256(data).hexdigest()
        body = decode(self.name, data, rules.encoding).body
        self._body = body
        self._is_array = not part and is_array(body)
        self.described = "a JSON array" if self._is_array else "JSON Lines"
        self._bad: list[BadLine] = []
        self._mixed: set[str] = set()
        found = self._array(body) if self._is_array else self._lines(body, bool(rules.skip_bad_lines))
        self._places, self._objects = [place for place, _ in found], [one for _, one in found]
        if not self._objects:
            raise (WholeFileError if part else DataError)(f"{self.name}: the file is empty")
        if not part:
            self._refuse_wrapped()
        self.shows_names = len(self._objects) >= _SAMPLE_OBJECTS
        self.names = list(dict.fromkeys(name for one in self._objects[:_SAMPLE_OBJECTS] for name in one))

    def read(self, chosen: Sequence[str]) -> Table:
        """Reads these fields. Raises DataError if a field has values of several types, or occurs twice in an object."""
        self._refuse_doubled(chosen)
        columns = {name: self._column(name) for name in chosen}
        name, places = self.name, self._places
        where = f"{name}, item " if self._is_array else f"{name}:"
        bad, mixed = tuple(self._bad), frozenset(self._mixed)
        locate = partial(_place, where, places)
        return Table(name, self._sha256, columns, locate, typed=True, bad_lines=bad, mixed=mixed)

    def _lines(self, body: bytes, skip: bool) -> list[tuple[int, dict[str, Any]]]:
        found: list[tuple[int, dict[str, Any]]] = []
        for number, line in enumerate(body.splitlines(), self._before + 1):
            if not line.strip():
                continue
            try:
                found.append((number, self._object(f"{self.name}:{number}", line)))
            except DataError as error:
                if not skip:
                    raise
                self._bad.append(BadLine(len(found), str(error)))
        return found

    def _array(self, body: bytes) -> list[tuple[int, dict[str, Any]]]:
        try:
            items = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise DataError(f"{self.name}:{error.lineno}: not JSON: {error.msg}") from None
        for place, one in enumerate(items, 1):
            if not isinstance(one, dict):
                raise DataError(f"{self.name}, item {place}: got {type(one).__name__}; allowed is an object")
        return list(enumerate(items, 1))

    @staticmethod
    def _object(where: str, line: bytes) -> dict[str, Any]:
        try:
            one = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise DataError(f"{where}: not JSON: {error}") from None
        if not isinstance(one, dict):
            raise DataError(f"{where}: got {type(one).__name__}; allowed is an object")
        return one

    def _refuse_wrapped(self) -> None:
        """Raises DataError if the file is one object that holds the list of ratings in one of its fields."""
        if len(self._objects) > 1:
            return
        for name, value in self._objects[0].items():
            if isinstance(value, list) and value and isinstance(value[0], dict):
                told = f'the file is one object, with a list of objects in "{name}"'
                raise DataError(f"{self.name}: {told}; allowed are that list alone, or an object on each line")

    def _refuse_doubled(self, chosen: Sequence[str]) -> None:
        """Raises DataError if an object has a name twice; a JSON parser would silently take the last value."""
        for name in chosen:
            if self._body.count(orjson.dumps(name)) <= sum(name in one for one in self._objects):
                continue
            for place, line in enumerate([self._body] if self._is_array else self._body.splitlines(), self._before + 1):
                if name in _doubled(line):
                    where = self.name if self._is_array else f"{self.name}:{place}"
                    raise DataError(f'{where}: an object has "{name}" twice; allowed is once')

    def _column(self, name: str) -> pa.ChunkedArray:
        """Integers if all values are integers, floats if all are numbers, else text; lists stay lists."""
        values = [one.get(name) for one in self._objects]
        kinds = {type(value) for value in values} - {type(None)}
        if str in kinds and kinds <= {str, int, float} and len(kinds) > 1:
            self._mixed.add(name)
            values = [None if value is None else str(value) for value in values]
        elif kinds == {int, float}:
            values = [None if value is None else float(value) for value in values]
        try:
            return pa.chunked_array([pa.array(values)])
        except (pa.ArrowException, OverflowError):
            if kinds == {int}:
                told = "holds a number beyond 64 bits; allowed are integers up to 2^63 - 1, or text: write it in quotes"
                raise DataError(f"{self.name}: {name} {told}") from None
            found = ", ".join(sorted(kind.__name__ for kind in kinds))
            raise DataError(f"{self.name}: {name} holds values of these types: {found}; allowed is one type") from None


def is_array(body: bytes) -> bool:
    """Whether a file that begins with `body` is one JSON array, and not lines."""
    return body.removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"["


def _place(where: str, places: Sequence[int], row: int) -> str:
    return f"{where}{places[row]}"


def _doubled(text: bytes) -> set[str]:
    """The names that occur more than once in an object of a JSON text; empty if it is not JSON."""
    found: set[str] = set()

    def look(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        found.update(name for name in names if names.count(name) > 1)
        return dict(pairs)

    with contextlib.suppress(ValueError):
        json.loads(text, object_pairs_hook=look)
    return found
