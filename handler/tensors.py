"""A tensor of ids, from JSON or from raw bytes (Open Inference Protocol, version 2)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from handler.errors import RequestError, expect_list, shown
from handler.id_fields import are_ids, checked_id
from model.ids import IdMap
from model.vocabulary import counted

_INTEGERS = {
    "INT64": "<i8",
    "INT32": "<i4",
    "INT16": "<i2",
    "INT8": "<i1",
    "UINT32": "<u4",
    "UINT16": "<u2",
    "UINT8": "<u1",
}
_STRINGS = "BYTES"
_LENGTH = struct.Struct("<I")


def read_json(tensor: Mapping[str, Any], size: int, ids: IdMap, where: str) -> list[Any] | np.ndarray:
    """The `data` of a tensor, (size,): integers, in a list or in an array, or strings, like the model's ids.

    Integer ids may be strings of digits as well, whatever the datatype: JSON of Protocol Buffers writes INT64 so.

    Raises:
        RequestError: the datatype or an element's type is not that of the ids, or the size differs from the shape's.
    """
    _datatype(tensor, ids, where)
    data = tensor.get("data")
    if isinstance(data, np.ndarray):
        if ids.integer and len(data) == size:
            return data
        data = data.tolist()
    data = expect_list(data, f"{where}.data")
    if data and type(data[0]) is list:
        data = [value for row in data for value in expect_list(row, f"{where}.data")]
    if len(data) != size:
        raise RequestError(f"{where}.data: {counted(len(data), 'element')}, the shape says {size}")
    if are_ids(data, ids.python_type):
        return data
    return [checked_id(value, ids.python_type, f"{where}.data[{place}]") for place, value in enumerate(data)]


def read_binary(tensor: Mapping[str, Any], size: int, ids: IdMap, raw: bytes | memoryview, where: str) -> Any:
    """The raw bytes of a tensor, (size,): little-endian integers, or strings with their lengths before them.

    Raises:
        RequestError: the bytes are not `size` elements of the datatype, or are not UTF-8.
    """
    datatype = _datatype(tensor, ids, where)
    if datatype in _INTEGERS:
        kind = np.dtype(_INTEGERS[datatype])
        if len(raw) != size * kind.itemsize:
            raise RequestError(f"{where}: {counted(len(raw), 'byte')}, the shape says {size * kind.itemsize}")
        return np.frombuffer(raw, dtype=kind).astype(np.int64)
    strings = _read_strings(raw, size, where)
    if not ids.integer:
        return strings
    return [checked_id(value, int, f"{where}[{place}]") for place, value in enumerate(strings)]


def datatypes(ids: IdMap) -> tuple[str, ...]:
    """The datatypes that a tensor of these ids may have."""
    return (*_INTEGERS, _STRINGS) if ids.integer else (_STRINGS,)


def _read_strings(raw: bytes | memoryview, size: int, where: str) -> list[str]:
    """Strings with their lengths before them."""
    values, start = [], 0
    while start < len(raw):
        if start + 4 > len(raw):
            raise RequestError(f"{where}: the bytes end within a length")
        (length,) = _LENGTH.unpack_from(raw, start)
        start += 4 + length
        values.append(raw[start - length : start])
    if start != len(raw):
        raise RequestError(f"{where}: {counted(len(values), 'string')}, the last of them cut off")
    if len(values) != size:
        raise RequestError(f"{where}: {counted(len(values), 'string')}, the shape says {size}")
    try:
        return [bytes(value).decode() for value in values]
    except UnicodeDecodeError as error:
        raise RequestError(f"{where}: a string is not UTF-8") from error


def _datatype(tensor: Mapping[str, Any], ids: IdMap, where: str) -> str:
    datatype = tensor.get("datatype")
    allowed = datatypes(ids)
    if datatype not in allowed:
        raise RequestError(f"{where}.datatype: got {shown(datatype)}, allowed: {', '.join(allowed)}")
    return str(datatype)
