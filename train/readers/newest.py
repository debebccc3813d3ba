"""The newest time in a column of times, as text. An update reads ratings from this time on."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc


def newest_time(column: pa.ChunkedArray) -> str | None:
    """The largest value as text. Numbers, and texts that are all numbers, are compared as numbers.

    None if there is no value, or if the values have no order.
    """
    try:
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            column = _numbers_if_all(column)
        largest = pc.max(column).as_py()
    except pa.ArrowException:
        return None
    if isinstance(largest, float) and largest.is_integer():
        largest = int(largest)
    return None if largest is None else str(largest)


def _numbers_if_all(column: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return pc.cast(column, pa.float64())
    except pa.ArrowException:
        return column
