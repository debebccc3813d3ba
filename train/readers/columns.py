"""Turn the columns of a table into RatingsData: ids, ratings, scale, copies, catalogue, and the messages about them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from model.vocabulary import counted
from train.dataset.data import MOVIE_ID, RATING, TIME, USER_ID, RatingsData, count_repeated_pairs
from train.dataset.reading import FirstLine, Reading
from train.errors import DataError
from train.readers.catalogue import Catalogue, catalogue_frame, not_joined, option_of_catalogue, tell_joined
from train.readers.copies import drop_copies
from train.readers.ids import read_ids, tell_large, tell_minus_one
from train.readers.names import MOVIE, USER
from train.readers.newest import newest_time
from train.readers.rating_values import read_ratings, refuse_outside
from train.readers.rules import ReadingRules
from train.readers.scale import check_scale, seen_scale
from train.readers.sieve import Sieve, tell_bad_lines
from train.readers.table import Table, WholeFileError
from train.readers.times import read_times

_MANY_REPEATED = 0.1  # of the ratings


@dataclass(frozen=True)
class Columns:
    """The names of the columns with users, movies, ratings and times."""

    user: str
    movie: str
    rating: str
    time: str | None = None


@dataclass(frozen=True, eq=False)
class Found:
    """What a reader of a format returns.

    path: of the ratings. described: how they are written. catalogue: None if there is none.
    asked_for: an option named the catalogue. So it is an error if the catalogue describes other movies.
    published_copies: the data set was published with a few copies of rows, and published results include them.
    """

    path: Path
    table: Table
    columns: Columns
    described: str
    catalogue: Catalogue | None = None
    catalogue_name: str = ""
    catalogue_described: str = ""
    asked_for: bool = False
    published_copies: bool = False


def ratings_data(
    found: Found, rules: ReadingRules, rating_scale: tuple[float, float] | None, reading: Reading
) -> RatingsData:
    """Checks what a reader found, and joins the catalogue.

    Raises DataError if an id or a rating is unusable, if the file has no ratings, or if all ratings are equal and no
    scale is given. It also raises DataError if a single faulty row would change the type of all ids or the scale.
    """
    table = found.table
    tell_file(found, reading)
    if not table.num_rows:
        raise DataError(f"{table.name}: no ratings; the file ends after its header")
    checked, sieve = checked_columns(found, rules, rating_scale, reading)
    rows = None if sieve.kept.all() else np.flatnonzero(sieve.kept)
    ratings = (checked if rows is None else checked.take(rows)).to_pandas()
    scale = rating_scale or seen_scale(table, found.columns.rating, checked[RATING], sieve.kept, reading)
    repeated = count_repeated_pairs(ratings)
    _tell_rows(ratings, repeated, table.num_rows - len(ratings) + len(table.bad_lines), reading)
    return RatingsData(
        ratings=ratings,
        movies=joined_catalogue(found, ratings[MOVIE_ID].value_counts(), reading),
        source=found.path,
        sha256=table.sha256,
        repeated_pairs=repeated,
        rating_scale=scale,
        locate=table.locate if rows is None else lambda row: table.locate(int(rows[row])),
        reading=reading,
        newest=_newest(found, rows),
    )


def _newest(found: Found, rows: npt.NDArray[np.int64] | None) -> str | None:
    if found.columns.time is None:
        return None
    times = found.table.columns[found.columns.time]
    return newest_time(times if rows is None else times.take(rows))


def checked_columns(
    found: Found,
    rules: ReadingRules,
    rating_scale: tuple[float, float] | None,
    reading: Reading,
    look_for_copies: bool = True,
) -> tuple[pa.Table, Sieve]:
    """Users, movies, ratings and times of every row, and which rows to use. The other rows may hold null.

    Raises DataError on an unusable id, rating or time, and if no row is left; WholeFileError where a block cannot tell.
    """
    table, columns = found.table, found.columns
    sieve = Sieve(table, rules.skip_bad_lines)
    users, user_type = read_ids(table, columns.user, USER, rules.user_ids, sieve, reading)
    movies, movie_type = read_ids(table, columns.movie, MOVIE, rules.movie_ids, sieve, reading)
    kinds = " and ".join(told.partition(" since ")[0] for told in (user_type, movie_type))
    reading.say(FirstLine(f"ids: {kinds}", f"ids: users are {user_type}; {reading.words.items} are {movie_type}"))
    tell_large(users, movies, reading)
    tell_minus_one(table, users, columns.user, reading)
    tell_minus_one(table, movies, columns.movie, reading)
    values = read_ratings(table, columns.rating, rules, sieve, reading)
    if rating_scale is not None:
        check_scale(rating_scale)
        refuse_outside(values, columns.rating, rating_scale, sieve)
        reading.say(f"scale: {rating_scale[0]:g} to {rating_scale[1]:g}, as given")
    if look_for_copies:
        same = [users, movies, values, *([table.columns[columns.time]] if columns.time else [])]
        drop_copies(table, same, rules, found.published_copies, sieve, reading)
    checked = {USER_ID: users, MOVIE_ID: movies, RATING: values}
    if columns.time:
        times = read_times(table, columns.time, rules.time_column is not None, sieve, reading)
        checked |= {} if times is None else {TIME: pa.chunked_array([times])}
    if not table.part:  # bad lines of all blocks are told together
        tell_bad_lines(sieve.bad_lines, sieve.first_bad_lines, reading)
    if not sieve.kept.any():
        if table.part:
            raise WholeFileError(f"{table.name}: a block without ratings")
        raise DataError(f"{table.name}: no ratings; {counted(table.num_rows, 'row was', 'rows were')} left out")
    return pa.table(checked), sieve


def tell_file(found: Found, reading: Reading) -> None:
    """Reports how the file is written, and which columns were chosen."""
    columns, items = found.columns, reading.words.items
    time = f", {columns.time} for times" if columns.time else ""
    reading.say(f"{found.table.name}: {found.described}")
    reading.say(f"columns: {columns.user} for users, {columns.movie} for {items}, {columns.rating} for ratings{time}")


def _tell_rows(ratings: pd.DataFrame, repeated: int, left_out: int, reading: Reading) -> None:
    words = reading.words
    users, movies = ratings[USER_ID].nunique(), ratings[MOVIE_ID].nunique()
    rated = counted(movies, words.item, words.items)
    told = f"{counted(len(ratings), 'rating')} by {counted(users, 'user')} of {rated}"
    pairs = counted(repeated, "rating of a repeated pair", "ratings of repeated pairs")
    reading.say(f"{told}, {pairs}; {counted(left_out, 'row')} left out")
    if repeated > _MANY_REPEATED * len(ratings):
        told = f"{repeated / len(ratings):.0%} of the ratings repeat a pair of user and {words.item}"
        reading.warn(f"{told}. They are kept. If held-out rows repeat training rows, the reported errors are too small")


def joined_catalogue(found: Found, counts: pd.Series, reading: Reading) -> pd.DataFrame | None:
    """The catalogue, with ids of the ratings' type.

    counts: how many ratings each rated movie has, by id, the largest first.
    Raises DataError if an option named the catalogue and it knows no rated movie.
    """
    if found.catalogue is None:
        reading.say(f"catalogue: none, so no titles; {option_of_catalogue(reading.words)} FILE adds one")
        return None
    movies = catalogue_frame(found.catalogue, pd.api.types.is_integer_dtype(counts.index.dtype))
    if tell_joined(found.catalogue_name, found.catalogue_described, movies, counts, reading):
        return movies
    told = not_joined(found.catalogue_name, found.catalogue, counts.index, reading.words)
    if found.asked_for:
        raise DataError(told)
    reading.warn(f"{told}; it is not used")
    return None
