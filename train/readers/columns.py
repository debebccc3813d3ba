"""From the values of a table to ids and ratings, vectorised: cast, cast back, compare."""

from math import isfinite
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from train.dataset.data import MOVIE_ID, RATING, USER_ID, RatingsData, count_repeated_pairs
from train.dataset.integer_ids import integers_if_all
from train.errors import DataError
from train.readers.catalogue import Catalogue, catalogue_frame
from train.readers.table import Table

_NOT_CASTABLE = (pa.ArrowInvalid, pa.ArrowNotImplementedError)
_LARGEST_ID = (1 << 63) - 1


def ratings_data(
    table: Table,
    columns: tuple[str, str, str],
    rating_scale: tuple[float, float] | None,
    catalogue: Catalogue | None,
) -> RatingsData:
    """Check the (user, movie, rating) columns of a table and join what is known about the movies.

    Ids become int64 where every one of a column is a canonical 64-bit integer, else they stay strings; typed
    columns (Parquet) keep the type they have. Raises DataError on an unusable id or rating, and on a file
    without ratings or with one rating only for everything, unless a scale is stated.
    """
    user_column, movie_column, rating_column = columns
    if table.num_rows == 0:
        raise DataError(f"{table.path.name}: no ratings; the file ends after its header")
    if rating_scale is not None:
        _check_scale(rating_scale)
    users = _ids(table, user_column)
    movies = _ids(table, movie_column)
    values = _ratings(table, rating_column, rating_scale)
    ratings = pa.table({USER_ID: users, MOVIE_ID: movies, RATING: values}).to_pandas()
    integer = pa.types.is_integer(movies.type)
    return RatingsData(
        ratings=ratings,
        movies=None if catalogue is None else catalogue_frame(catalogue, integer),
        source=table.path,
        sha256=table.sha256,
        repeated_pairs=count_repeated_pairs(ratings),
        rating_scale=rating_scale or _seen_scale(table.path, rating_column, values),
        locate=table.locate,
    )


def _ids(table: Table, name: str) -> pa.ChunkedArray:
    """The column as int64 or strings, every id fit to be a key."""
    column = table.columns[name]
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    _refuse(table, column.is_null(), name, "is missing; every rating needs one")
    if pa.types.is_integer(column.type):
        if column.type == pa.uint64():
            too_large = pc.greater(column, pa.scalar(_LARGEST_ID, pa.uint64()))
            _refuse(table, too_large, name, f"is above {_LARGEST_ID}", column)
        return column.cast(pa.int64())
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        raise DataError(f"{table.path.name}: {name} is of type {column.type}; allowed are integers and strings")
    _refuse(table, pc.equal(pc.binary_length(column), 0), name, "is empty; every rating needs one")
    _refuse(table, pc.match_substring(column, "\0"), name, "holds a NUL character")
    _refuse(table, pc.match_substring(column, "\n"), name, "holds a line break; is a quote in the wrong place?")
    return column if table.typed else integers_if_all(column)


def _ratings(table: Table, name: str, rating_scale: tuple[float, float] | None) -> pa.ChunkedArray:
    """The column as float64, finite, and within the scale where one is stated."""
    column = table.columns[name]
    _refuse(table, column.is_null(), name, "is missing; every row needs a number")
    if pa.types.is_boolean(column.type):
        raise DataError(f"{table.path.name}: {name} is of type bool; allowed are numbers")
    try:
        values = pc.cast(column, pa.float64())
    except _NOT_CASTABLE:
        row = _first_not_a_number(column)
        raise DataError(f'{table.locate(row)}: {name} "{column[row]}" is not a number') from None
    _refuse(table, pc.invert(pc.is_finite(values)), name, "is not a finite number", column)
    if rating_scale is not None:
        minimum, maximum = rating_scale
        outside = pc.or_(pc.less(values, minimum), pc.greater(values, maximum))
        _refuse(table, outside, name, f"is outside {minimum:g}..{maximum:g}", column)
    return values


def _refuse(table: Table, wrong: pa.ChunkedArray, name: str, fault: str, shown: pa.ChunkedArray | None = None) -> None:
    """Raise the DataError for the first row that is wrong, if there is one."""
    row = pc.index(wrong, True).as_py()
    if row >= 0:
        value = "" if shown is None else f" {shown[row]}"
        raise DataError(f"{table.locate(row)}: {name}{value} {fault}")


def _first_not_a_number(column: pa.ChunkedArray) -> int:
    """By halving, with pyarrow as the judge of what a number is: no second grammar to keep in step."""
    first, length = 0, len(column)
    while length > 1:
        half = length // 2
        try:
            pc.cast(column.slice(first, half), pa.float64())
        except _NOT_CASTABLE:
            length = half
        else:
            first, length = first + half, length - half
    return first


def _check_scale(rating_scale: tuple[float, float]) -> None:
    minimum, maximum = rating_scale
    if not (isfinite(minimum) and isfinite(maximum) and minimum < maximum):
        raise DataError(f"rating_scale: got {minimum:g}..{maximum:g}; allowed are two numbers, the smaller first")


def _seen_scale(path: Path, name: str, values: pa.ChunkedArray) -> tuple[float, float]:
    seen = pc.min_max(values).as_py()
    minimum, maximum = seen["min"], seen["max"]
    if minimum == maximum:
        raise DataError(f"{path.name}: every {name} is {minimum:g}; two different ones are needed, or a stated scale")
    return minimum, maximum
