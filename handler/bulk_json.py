"""Long JSON of tensors, read without a Python object for every id.

simdjson puts an array of integers straight into memory; orjson makes a list, and numpy then looks at each element. This
reader takes only bodies that it is sure to understand. orjson reads all others, and the codecs say what is wrong there.
Without simdjson, which has no wheel for Python 3.14, orjson reads every body.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

try:
    import simdjson
except ModuleNotFoundError:
    _parser = None
else:
    _parser = simdjson.Parser()

# orjson reads shorter bodies as fast.
_LEAST_BYTES = 1_024


def read_tensors(raw: object) -> dict[str, Any] | None:
    """The body as orjson would give it, but every tensor's `data` as an array (n,) int64.

    None: there is no simdjson, or the body is short, holds no tensors, is not valid, or its data are not flat arrays of
    64-bit integers.
    """
    if _parser is None or not isinstance(raw, bytes) or len(raw) < _LEAST_BYTES or b'"inputs"' not in raw:
        return None
    try:
        body = _fields(_parser.parse(raw), "inputs", _tensors)
    except (ValueError, TypeError, RuntimeError):
        return None
    # as_buffer flattens nested arrays, so the body may hold no other brackets than those of tensors, shapes and data.
    brackets = sum(("shape" in one) + ("data" in one) for one in body.get("inputs", ()))
    flat = 1 + brackets + ("outputs" in body)
    return body if raw.count(b"[") == flat else None


def _fields(parsed: Any, special: str, read: Callable[[Any], Any]) -> dict[str, Any]:
    """An object's fields as Python values; `read` converts the field `special`.

    Raises:
        ValueError: a name stands there twice: simdjson would take the first value, orjson the last.
        TypeError: it is not an object.
    """
    if not isinstance(parsed, simdjson.Object):
        raise TypeError("not an object")
    names = list(parsed)
    if len(set(names)) < len(names):
        raise ValueError("a name stands there twice")
    return {name: read(parsed[name]) if name == special else _plain(parsed[name]) for name in names}


def _tensors(values: Any) -> list[dict[str, Any]]:
    return [_fields(one, "data", _integers) for one in values]


def _integers(values: Any) -> np.ndarray:
    if not isinstance(values, simdjson.Array):
        raise TypeError("not an array")
    return np.frombuffer(values.as_buffer(of_type="i"), dtype=np.int64)


def _plain(value: Any) -> Any:
    if isinstance(value, simdjson.Array):
        return value.as_list()
    return value.as_dict() if isinstance(value, simdjson.Object) else value
