"""Which ids are integers: those with 64 bits and the usual notation (`7`, not `007`, `+7` or `-0`)."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

_MOST_DIGITS = 19


def is_integer_id(text: str) -> bool:
    """Whether one id is an integer."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= _MOST_DIGITS):
        return False
    number = int(text)
    return str(number) == text and -(1 << 63) <= number < 1 << 63


def integers_if_all(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column of strings as int64 if every string is an integer id, else unchanged."""
    try:
        numbers = pc.cast(column, pa.int64())
    except pa.ArrowInvalid:
        return column
    unchanged = pc.equal(pc.cast(numbers, column.type), column)
    return numbers if pc.all(unchanged).as_py() else column
