"""Ratings after reading: the value object, the reference split, and the conversion of raw ids to rows.

A repeated (user, movie) pair is counted but kept, as in the reference: people sometimes rate a movie twice.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from model.vocabulary import counted
from train.dataset.reading import Reading
from train.errors import DataError

USER_ID = "user_id"
MOVIE_ID = "movie_id"
RATING = "rating"
TIME = "time"

TITLE = "title"
TITLE_ENGLISH = "title_english"
YEAR = "year"
GRADE = "grade"
GENRES = "genres"
PEOPLE = "people"
COUNTRIES = "countries"
CATALOGUE_COLUMNS = (TITLE, TITLE_ENGLISH, YEAR, GRADE, GENRES, PEOPLE, COUNTRIES)
_ALL_ROWS = "--test-size 0 trains on all rows and measures nothing"
CATALOGUE_LISTS = frozenset({GENRES, PEOPLE, COUNTRIES})


@dataclass(frozen=True, eq=False)
class EventsData:
    """Clicks, views or purchases without ratings.

    frame: one row per event; columns user_id and movie_id, of the ratings' types, and time where the file has times.
    source, sha256: of the file, as in `RatingsData`.
    """

    frame: pd.DataFrame
    source: Path
    sha256: str


@dataclass(frozen=True, eq=False)
class RatingsData:
    """Explicit ratings in the order of their file, and the facts about the movies.

    ratings: one row per rating in file order; columns user_id and movie_id (each int64, or pandas' str),
        rating (float64, finite) and, if the data has times, time (float64, seconds since 1970).
    movies: one row per movie: movie_id (of the same type as in ratings), those of CATALOGUE_COLUMNS that the data has,
        and further columns. title, title_english and grade are str or None, year is int or None, the others of
        CATALOGUE_COLUMNS are lists of str. Further columns hold values for JSON. None if the data has no catalogue.
    source: the file the ratings came from.
    sha256: of that file's bytes, in hexadecimal.
    repeated_pairs: rows whose (user, movie) pair occurs in an earlier row; they are kept.
    rating_scale: (minimum, maximum), minimum < maximum; from the option, else from the data.
    locate: names a row of ratings (0-based) for an error: `rates.csv:42`.
    reading: the reader's report and warnings.
    newest: the newest time of a rating, as the data writes it; None if the data has no times.
    events: what users chose without rating it; None if no file of events was read.
    """

    ratings: pd.DataFrame
    movies: pd.DataFrame | None
    source: Path
    sha256: str
    repeated_pairs: int
    rating_scale: tuple[float, float]
    locate: Callable[[int], str]
    reading: Reading = field(default_factory=Reading)
    newest: str | None = None
    events: EventsData | None = None


@dataclass(frozen=True, eq=False)
class Split:
    """Training rows and held-out rows; both keep the index of the original frame.

    validation_known: bool (len(validation),), true where the row's user and movie both occur in train.
    """

    train: pd.DataFrame
    validation: pd.DataFrame
    validation_known: npt.NDArray[np.bool_]

    @property
    def known(self) -> pd.DataFrame:
        """The held-out rows whose user and movie both occur in training; the reference measures these rows."""
        return self.validation[self.validation_known]


def split_ratings(
    ratings: pd.DataFrame, test_size: float = 0.2, seed: int = 1234, source: str | Path = "ratings"
) -> Split:
    """Holds out a random share of the rows; the defaults give the reference notebook's split, row for row.

    source: names the data in errors. Raises DataError if nothing could be learned or measured: test_size is not a
    share, there is only one user, there are too few rows, or no held-out row has a known user and movie.
    """
    name = Path(source).name
    if not 0 < test_size < 1:
        raise DataError(f"test_size: got {test_size}, allowed is a share between 0 and 1, both excluded")
    rows = len(ratings)
    told = f"{name}: {counted(rows, 'row')}"
    held_out = int(np.ceil(test_size * rows))
    if held_out < 1 or held_out >= rows:
        raise DataError(f"{told}; holding out a share of {test_size:g} leaves one side empty; {_ALL_ROWS}")
    if ratings[USER_ID].nunique() == 1:
        raise DataError(f"{told}, all by one user, {ratings[USER_ID].iloc[0]}; at least 2 users are needed")
    order = np.random.RandomState(seed).permutation(rows)  # as scikit-learn's, whose import takes seconds
    train, validation = ratings.iloc[order[held_out:]], ratings.iloc[order[:held_out]]
    known = _known(train, validation)
    if not known.any():
        raise DataError(
            f"{told}, too few to split: not one of its {counted(len(validation), 'held-out row')} has "
            f"a user and a movie that occur in the training rows too, so nothing could be measured; {_ALL_ROWS}"
        )
    return Split(train, validation, known)


def split_at(ratings: pd.DataFrame, held_out: npt.NDArray[np.bool_], source: str | Path = "ratings") -> Split:
    """Holds out the rows of a mask (rows,). Raises DataError if one side would be empty."""
    number = int(held_out.sum())
    if number in (0, len(ratings)):
        told = f"{Path(source).name}: this split holds out {number} of {counted(len(ratings), 'row')}"
        raise DataError(f"{told}; allowed is at least one row on each side; {_ALL_ROWS}")
    train, validation = ratings[~held_out], ratings[held_out]
    return Split(train, validation, _known(train, validation))


def index_ids(column: pd.Series) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """Numbers the raw ids of a column by their rank.

    Returns (ids, rows). ids (n,) are strictly ascending: int64, or for strings numpy bytes ('S', UTF-8, in byte order).
    rows (len(column),) are int64, with ids[rows] equal to the column. Raises DataError if numpy's bytes cannot hold a
    string id, because it is empty or contains a NUL.
    """
    if pd.api.types.is_integer_dtype(column.dtype):
        codes, numbers = pd.factorize(column.to_numpy(dtype=np.int64))  # np.unique would sort all rows
        return _ranked(numbers, codes)
    strings = pa.array(column, type=pa.large_string())
    if isinstance(strings, pa.ChunkedArray):  # pandas holds this after a long file was read in blocks
        strings = strings.combine_chunks()
    encoded = strings.dictionary_encode()
    texts: list[str] = encoded.dictionary.to_pylist()
    if encoded.null_count or any(not text or "\0" in text for text in texts):
        raise DataError(f"{column.name}: ids may not be missing, empty or hold a NUL character")
    return _ranked(np.array([text.encode() for text in texts], dtype=np.bytes_), encoded.indices.to_numpy())


def count_repeated_pairs(ratings: pd.DataFrame) -> int:
    """How many rows repeat the (user, movie) pair of an earlier row."""
    _, users = index_ids(ratings[USER_ID])
    movie_ids, movies = index_ids(ratings[MOVIE_ID])
    pairs = np.sort(users * len(movie_ids) + movies)
    return int(np.count_nonzero(pairs[1:] == pairs[:-1]))


def _known(train: pd.DataFrame, validation: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Whether the user and the movie of a held-out row both occur in training, (len(validation),)."""
    known = np.ones(len(validation), dtype=np.bool_)
    for column in (USER_ID, MOVIE_ID):
        known &= validation[column].isin(train[column].unique()).to_numpy(dtype=np.bool_)
    return known


def _ranked(distinct: npt.NDArray[Any], codes: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """Sorts distinct ids in ascending order, and converts codes (n,), which number them, to the new positions."""
    order = np.argsort(distinct, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return distinct[order], rank[codes]
