"""A column of times as seconds since 1970. It may hold numbers of seconds or smaller units, typed dates and times, or
ISO text such as 2005-09-06 or 2005-09-06T12:30:00+09:00.

Only splits by time need times. So an unreadable column is reported and ignored, unless an option named it.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from model.vocabulary import counted
from train.dataset.reading import Reading
from train.errors import DataError
from train.readers.rating_values import as_numbers
from train.readers.sieve import Sieve
from train.readers.table import Table

# The largest number of each unit: 1e11 seconds is the year 5138, while 1e11 milliseconds is 1973.
_UNITS = (
    (1e11, "seconds", 1.0),
    (1e14, "milliseconds", 1e3),
    (1e17, "microseconds", 1e6),
    (np.inf, "nanoseconds", 1e9),
)
_EARLY = 1e8  # seconds, in 1973; no data set has ratings so old
_ALLOWED = "allowed are seconds or milliseconds since 1970, and ISO text such as 2005-09-06 or 2005-09-06T12:30:00"
_NOT_CASTABLE = (pa.ArrowInvalid, pa.ArrowNotImplementedError)


@dataclass(frozen=True)
class _TimesLine:
    """How times are written, and the first and the last one in seconds since 1970."""

    written: str
    first: float
    last: float

    def __str__(self) -> str:
        return f"times: {self.written}, {_day(self.first)} to {_day(self.last)}"

    def with_later(self, later: Any) -> Self | None:
        """See `train.dataset.reading.Line`."""
        if not isinstance(later, _TimesLine) or later.written != self.written:
            return None
        return replace(self, first=min(self.first, later.first), last=max(self.last, later.last))


def read_times(
    table: Table, name: str, asked_for: bool, sieve: Sieve, reading: Reading
) -> npt.NDArray[np.float64] | None:
    """Seconds since 1970 (rows,) float64, finite in every row that is used; None if one of these rows has no time.

    asked_for: an option named the column. Then a row without a time is a bad line.
    Raises DataError if there are too many bad lines.
    """
    column = table.columns[name]
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    times, written = _seconds(column)
    wrong = sieve.kept & ~np.isfinite(times)
    if asked_for:
        sieve.refuse(pa.chunked_array([wrong]), lambda where, row: _is_no_time(where, name, column[row]))
    elif wrong.any():
        row = int(wrong.argmax())
        reading.say(f"times: not used; {_is_no_time(table.locate(row), name, column[row])}")
        return None
    if sieve.kept.any():
        used = times[sieve.kept]
        reading.say(_TimesLine(written, float(used.min()), float(used.max())))
        _tell_early(table, name, times, sieve.kept, reading)
    return times


def no_times(source: str, why: str) -> DataError:
    """The error for a feature that needs times when the ratings have none."""
    return DataError(f"{source}: no times, and {why} needs one for every rating: name their column with --time-column")


def _tell_early(
    table: Table, name: str, times: npt.NDArray[np.float64], kept: npt.NDArray[np.bool_], reading: Reading
) -> None:
    """Warns of times near 1970: they may be missing or in another unit. If all are, they may be years or days."""
    early = kept & (times < _EARLY)
    if not early.any():
        return
    row, number = int(early.argmax()), int(early.sum())
    told = f"{table.locate(row)}: {name} {table.columns[name][row]} is {_day(times[row])}, in {counted(number, 'row')}"
    if number == kept.sum():
        reading.warn(f"{told}, that is, in all rows: are they years, or days? Splits by time use their order")
    else:
        reading.warn(
            f"{told}, long before the others: is it missing, or in another unit? Splits by time use it unchanged"
        )


def _seconds(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.float64], str]:
    """Seconds (rows,), NaN for a value that is not a time; and how the times are written."""
    if pa.types.is_temporal(column.type):
        return _of_dates(column.to_pandas()), "dates"
    numbers = _numbers(column)
    if numbers.null_count > len(numbers) / 2:
        return _of_dates(column.to_pandas()), "ISO text"
    values: npt.NDArray[np.float64] = numbers.to_numpy().astype(np.float64)
    largest = np.abs(values[np.isfinite(values)]).max(initial=0)
    unit, per_second = next((unit, per_second) for limit, unit, per_second in _UNITS if largest < limit)
    return np.divide(values, per_second), unit


def _numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column as float64; null for a value that is not a number."""
    try:
        return pc.cast(column, pa.float64(), safe=False)
    except _NOT_CASTABLE:
        return as_numbers(pc.utf8_trim_whitespace(column.cast(pa.string())))


def _of_dates(column: pd.Series) -> npt.NDArray[np.float64]:
    dates = pd.to_datetime(column, format="ISO8601", utc=True, errors="coerce")
    return np.asarray((dates - pd.Timestamp(0, tz="UTC")).dt.total_seconds(), dtype=np.float64)


def _is_no_time(where: str, name: str, value: pa.Scalar) -> str:
    shown = "nothing" if value.as_py() is None else f'"{value}"'
    return f"{where}: {name} is {shown}, which is not a time; {_ALLOWED}"


def _day(seconds: float) -> str:
    try:
        return datetime.datetime.fromtimestamp(float(seconds), datetime.UTC).date().isoformat()
    except (OverflowError, ValueError, OSError):  # beyond the years 1 to 9999
        return f"{seconds:g} s"
