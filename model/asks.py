"""What can be asked of a model, and what it answers: plain values between the codec and the predictor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

RawId = int | str


class PairAsk(NamedTuple):
    """How would this user rate this movie?"""

    user_id: RawId | None
    movie_id: RawId


class ColumnsAsk(NamedTuple):
    """How would each of B users rate the movie beside it? Two sequences of raw ids, or int64 arrays, (B,)."""

    user_ids: Sequence[Any] | np.ndarray
    movie_ids: Sequence[Any] | np.ndarray


class BestAsk(NamedTuple):
    """Which movies would this user rate highest: of `movie_ids`, or of all where that is None?

    `top_k` cuts the answer (None: no cut). `exclude_seen` leaves out what the user rated, `exclude` these movies,
    and `genres`, where not empty, all movies that have none of them.
    """

    user_id: RawId | None
    movie_ids: Sequence[RawId] | None = None
    top_k: int | None = None
    exclude_seen: bool = False
    genres: Sequence[str] = ()
    exclude: Sequence[RawId] = ()


class FoldInAsk(NamedTuple):
    """The same of a user who also gave these ratings: R raw movie ids and R ratings, in rating units.

    They are added to what the user of `ask` is known for, in place of earlier ratings of the same movies; a user of
    `None` is known for nothing else. No training takes place.
    """

    ask: PairAsk | BestAsk
    movie_ids: Sequence[RawId]
    ratings: Sequence[float]


class ExplainAsk(NamedTuple):
    """How does this user's rating of this movie come about?"""

    user_id: RawId
    movie_id: RawId


Ask = PairAsk | ColumnsAsk | BestAsk | FoldInAsk | ExplainAsk


class PairAnswer(NamedTuple):
    """A rating on the data's scale, and which of the two ids the model knows."""

    rating: float
    user_known: bool
    movie_known: bool


class ColumnsAnswer(NamedTuple):
    """Ratings (B,) float64, and which ids the model knows, two (B,) bool."""

    ratings: np.ndarray
    users_known: np.ndarray
    movies_known: np.ndarray


class BestAnswer(NamedTuple):
    """Movies, highest rating first: raw ids, rows (K,) and ratings (K,); an unknown movie's row is num_movies.

    `candidates`: how many movies were rated to choose these from; `unknown_movies`: how many of all of them the model
    does not know.
    """

    movie_ids: Sequence[Any]
    movie_index: np.ndarray
    ratings: np.ndarray
    user_known: bool
    candidates: int
    unknown_movies: int


class FoldInAnswer(NamedTuple):
    """The answer, and which of the given ratings' movies the model knows, (R,) bool; the others told it nothing."""

    answer: PairAnswer | BestAnswer
    movies_known: np.ndarray


class ExplainAnswer(NamedTuple):
    """A rating as a sum in rating units: rating = mean + user + movie + interaction.

    `because`: the user's own ratings that moved it most, as (raw movie id, row, the rating given, how much it moved
    this one), strongest first.
    """

    rating: float
    mean: float
    user: float
    movie: float
    interaction: float
    because: Sequence[tuple[Any, int, float, float]]
    user_known: bool
    movie_known: bool


Answer = PairAnswer | ColumnsAnswer | BestAnswer | FoldInAnswer | ExplainAnswer
