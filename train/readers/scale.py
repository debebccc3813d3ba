"""The scale of the ratings: from the option, or else from the data, unless an extreme value looks like a mistake."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from model.vocabulary import counted
from train.dataset.reading import Reading
from train.errors import DataError
from train.readers.table import Table

_EARLIEST_TIME = 1e8  # seconds since 1970; it is in the year 1973
_FEWEST_OTHERS = 3  # different ratings; with fewer, no gap between ratings can count as large
_RARE = 0.001  # share of the ratings: an end of the scale below it, and below a tenth of its neighbour, is doubtful


def check_scale(rating_scale: tuple[float, float]) -> None:
    """Raises DataError if the given scale is not finite, or its minimum is not smaller than its maximum."""
    minimum, maximum = rating_scale
    if not (isfinite(minimum) and isfinite(maximum) and minimum < maximum):
        raise DataError(f"rating_scale: got {minimum:g}..{maximum:g}; allowed are two numbers, the smaller first")


def seen_scale(
    table: Table, name: str, values: pa.ChunkedArray, kept: np.ndarray, reading: Reading
) -> tuple[float, float]:
    """The lowest and the highest rating of the rows that are kept.

    Raises DataError if all ratings are equal, or if exactly one negative value occurs among values that are not
    negative.
    """
    values = pc.if_else(pa.array(kept), values, pa.scalar(None, values.type))
    counts = pc.value_counts(values.drop_null().combine_chunks())
    order = pc.sort_indices(counts.field("values"))
    distinct = counts.field("values").take(order).to_numpy()
    numbers = counts.field("counts").take(order).to_numpy()

    def where(value: float) -> str:
        return table.locate(pc.index(values, pa.scalar(value)).as_py())

    return scale_of_counts(table.name, name, distinct, numbers, where, reading)


def scale_of_counts(
    table: str, name: str, distinct: np.ndarray, numbers: np.ndarray, where: Callable[[float], str], reading: Reading
) -> tuple[float, float]:
    """The same of different ratings (N,), ascending, each of which occurs `numbers` (N,) times.

    table, name: of the table and of the column. where: tells where a rating occurs first.
    """
    minimum, maximum = float(distinct[0]) + 0.0, float(distinct[-1]) + 0.0  # -0 is 0
    if minimum == maximum:
        raise DataError(f"{table}: every {name} is {minimum:g}; two different ones are needed, or --rating-scale")
    if minimum >= _EARLIEST_TIME:
        told = f"{name} {minimum:g} to {maximum:g} look like times, not ratings"
        raise DataError(f"{table}: {told}; --rating-column names another column, --rating-scale keeps them")
    _check_lowest(name, distinct, int(numbers[0]), where)
    _check_lonely(name, distinct, numbers, where, reading)
    low, high = (counted(int(number), "row") for number in (numbers[0], numbers[-1]))
    found = f"the lowest ({low}) and the highest ({high}) of {len(distinct):,} different ratings in the file"
    reading.say(f"scale: {minimum:g} to {maximum:g}, {found}")
    return minimum, maximum


def _check_lowest(name: str, distinct: np.ndarray, number: int, where: Callable[[float], str]) -> None:
    """Raises DataError if one negative value is below ratings from 0 or 1: it likely means "watched, not rated"."""
    lowest, rest = float(distinct[0]), distinct[1:]
    if lowest < 0 <= rest[0] and rest[-1] > 1 and lowest.is_integer():
        told = f"{name} {lowest:g} ({counted(number, 'row')}) lies below {rest[0]:g} to {rest[-1]:g}"
        raise DataError(f"{where(lowest)}: {told}; {_way(lowest, lowest, float(distinct[-1]))}")


def _check_lonely(
    name: str, distinct: np.ndarray, numbers: np.ndarray, where: Callable[[float], str], reading: Reading
) -> None:
    """Warns of a zero below ratings from 1, and of an end of the scale that is rare or far from the other ratings."""
    lowest, highest = float(distinct[0]) + 0.0, float(distinct[-1]) + 0.0
    zero = lowest == 0 and distinct[1] >= 1 and len(distinct) > _FEWEST_OTHERS

    def warn(what: str, value: float, next_one: float, number: int) -> None:
        told = f"{name} {value:g} ({counted(number, 'row')}) counts as the {what} rating; the next is {next_one:g}"
        reading.warn(f"{where(value)}: {told}; {_way(value, lowest, highest)}")

    if zero or _is_far(distinct[1:], distinct[1] - lowest) or _is_rare(numbers[0], numbers[1], numbers):
        warn("lowest", lowest, distinct[1], int(numbers[0]))
    if _is_far(distinct[:-1], highest - distinct[-2]) or _is_rare(numbers[-1], numbers[-2], numbers):
        warn("highest", highest, distinct[-2], int(numbers[-1]))


def _is_far(others: np.ndarray, gap: float) -> bool:
    return len(others) >= _FEWEST_OTHERS and gap > others[-1] - others[0]


def _is_rare(number: int, next_number: int, numbers: np.ndarray) -> bool:
    few: bool = number < _RARE * numbers.sum() and 10 * number <= next_number
    return few and len(numbers) > _FEWEST_OTHERS


def _way(value: float, minimum: float, maximum: float) -> str:
    left_out = f'--not-rated {value:g} leaves it out if it means "not rated"'
    return f"{left_out}, --rating-scale {minimum:g} {maximum:g} keeps it"
