"""Long JSON of tensors, read without a Python object for every id.

simdjson puts an array of integers straight into memory, where orjson makes a list and numpy looks at each of its
elements. It reads only what leaves no doubt: whatever else a body holds, orjson reads, and says what
is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import simdjson

# What is shorter is read as fast by orjson.
_LEAST_BYTES = 1_024
_parser = simdjson.Parser()


def read_tensors(raw: object) -> dict[str, Any] | None:
    """The body as orjson would give it, but every tensor's `data` as an array (n,) int64.

    None: it is short, no body of tensors, not valid, or its data are not flat arrays of 64-bit integers.
    """
    if not isinstance(raw, bytes) or len(raw) < _LEAST_BYTES or b'"inputs"' not in raw:
        return None
    try:
        body = _fields(_parser.parse(raw), "inputs", _tensors)
    except (ValueError, TypeError, RuntimeError):
        return None
    # as_buffer flattens what lies within an array: there must be no brackets but the tensors', shapes' and data's own.
    brackets = sum(("shape" in one) + ("data" in one) for one in body.get("inputs", ()))
    flat = 1 + brackets + ("outputs" in body)
    return body if raw.count(b"[") == flat else None


def _fields(parsed: Any, special: str, read: Callable[[Any], Any]) -> dict[str, Any]:
    """An object's fields as Python has them, `special` as `read` gives it.

    Raises:
        ValueError: a name comes twice, of which simdjson would take the first and orjson the last.
        TypeError: it is no object.
    """
    if not isinstance(parsed, simdjson.Object):
        raise TypeError("no object")
    names = list(parsed)
    if len(set(names)) < len(names):
        raise ValueError("a name comes twice")
    return {name: read(parsed[name]) if name == special else _plain(parsed[name]) for name in names}


def _tensors(values: Any) -> list[dict[str, Any]]:
    return [_fields(one, "data", _integers) for one in values]


def _integers(values: Any) -> np.ndarray:
    if not isinstance(values, simdjson.Array):
        raise TypeError("no array")
    return np.frombuffer(values.as_buffer(of_type="i"), dtype=np.int64)


def _plain(value: Any) -> Any:
    if isinstance(value, simdjson.Array):
        return value.as_list()
    return value.as_dict() if isinstance(value, simdjson.Object) else value
