"""The scale of the ratings: as stated, else as seen, unless the lowest or the highest is an accident."""

from __future__ import annotations

from math import isfinite

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from train.dataset.reading import Reading, counted
from train.errors import DataError
from train.readers.table import Table

_EARLIEST_TIME = 1e8  # in seconds since 1970, of the year 1973
_FEWEST_OTHERS = 3  # different ratings, beside which one can lie far off


def check_scale(rating_scale: tuple[float, float]) -> None:
    """Raises DataError on a stated scale that is none."""
    minimum, maximum = rating_scale
    if not (isfinite(minimum) and isfinite(maximum) and minimum < maximum):
        raise DataError(f"rating_scale: got {minimum:g}..{maximum:g}; allowed are two numbers, the smaller first")


def seen_scale(
    table: Table, name: str, values: pa.ChunkedArray, kept: np.ndarray, reading: Reading
) -> tuple[float, float]:
    """The lowest and the highest rating of the rows that are kept.

    Raises DataError where all are the same, and where one negative value lies below others that are not negative.
    """
    values = pc.if_else(pa.array(kept), values, pa.scalar(None, values.type))
    counts = pc.value_counts(values.drop_null().combine_chunks())
    order = pc.sort_indices(counts.field("values"))
    distinct = counts.field("values").take(order).to_numpy()
    numbers = counts.field("counts").take(order).to_numpy()
    minimum, maximum = float(distinct[0]), float(distinct[-1])
    if minimum == maximum:
        raise DataError(f"{table.name}: every {name} is {minimum:g}; two different ones are needed, or a stated scale")
    if minimum >= _EARLIEST_TIME:
        told = f"{name} {minimum:g} to {maximum:g} look like times, not ratings"
        raise DataError(f"{table.name}: {told}; --rating-column names another column, --rating-scale keeps them")
    _check_lowest(table, name, values, distinct, int(numbers[0]))
    _check_lonely(table, name, values, distinct, reading, int(numbers[0]), int(numbers[-1]))
    found = f"the lowest and the highest of {len(distinct):,} different ratings in the file"
    reading.say(f"scale: {minimum:g} to {maximum:g}, {found}")
    return minimum, maximum


def _check_lowest(table: Table, name: str, values: pa.ChunkedArray, distinct: np.ndarray, number: int) -> None:
    """One negative value below ratings from 0 or 1 on stands for "watched, not rated"."""
    lowest, rest = float(distinct[0]), distinct[1:]
    if lowest < 0 <= rest[0] and rest[-1] > 1 and lowest.is_integer():
        where, way = _where(table, values, lowest), _way(lowest, lowest, float(distinct[-1]))
        raise DataError(
            f"{where}: {name} {lowest:g} ({counted(number, 'row')}) lies below {rest[0]:g} to {rest[-1]:g}; {way}"
        )


def _check_lonely(
    table: Table, name: str, values: pa.ChunkedArray, distinct: np.ndarray, reading: Reading, low: int, high: int
) -> None:
    """A zero below ratings from 1 on, or a rating farther from the others than these lie from one another."""
    lowest, highest = float(distinct[0]), float(distinct[-1])
    zero = lowest == 0 and distinct[1] >= 1 and len(distinct) > _FEWEST_OTHERS
    if zero or _is_far(distinct[1:], distinct[1] - lowest):
        told = (
            f"{_where(table, values, lowest)}: {name} {lowest:g} ({counted(low, 'row')}) is taken as the lowest rating"
        )
        reading.warn(f"{told}, the next is {distinct[1]:g}; {_way(lowest, lowest, highest)}")
    if _is_far(distinct[:-1], highest - distinct[-2]):
        told = (
            f"{name} {highest:g} ({counted(high, 'row')}) is taken as the highest rating, the next is {distinct[-2]:g}"
        )
        reading.warn(f"{_where(table, values, highest)}: {told}; {_way(highest, lowest, highest)}")


def _is_far(others: np.ndarray, gap: float) -> bool:
    return len(others) >= _FEWEST_OTHERS and gap > others[-1] - others[0]


def _where(table: Table, values: pa.ChunkedArray, value: float) -> str:
    return table.locate(pc.index(values, pa.scalar(value)).as_py())


def _way(value: float, minimum: float, maximum: float) -> str:
    left_out = f'--not-rated {value:g} leaves it out if it means "not rated"'
    return f"{left_out}, --rating-scale {minimum:g} {maximum:g} keeps it"
