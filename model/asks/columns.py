"""Many pairs at once, as two columns of ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from model.asks.base import Call, Run, ServedModel


class ColumnsAnswer(NamedTuple):
    """Ratings (B,) float64, and whether the model knows each user id and each movie id, two (B,) bool."""

    ratings: np.ndarray
    users_known: np.ndarray
    movies_known: np.ndarray

    def num_pairs(self) -> int:
        """B."""
        return len(self.ratings)

    def num_unknown(self) -> int:
        """Unknown ids in both columns; an id that occurs twice counts twice."""
        known = np.count_nonzero(self.users_known) + np.count_nonzero(self.movies_known)
        return 2 * len(self.ratings) - int(known)


class ColumnsAsk(NamedTuple):
    """How would each user rate the movie in the same place? Two sequences of raw ids, or int64 arrays, (B,)."""

    user_ids: Sequence[Any] | np.ndarray
    movie_ids: Sequence[Any] | np.ndarray

    def plan(self, model: ServedModel, call: Call) -> Run[ColumnsAnswer]:  # noqa: ARG002  every ask gets them
        """B pairs."""
        users = model.user_ids.rows(self.user_ids)
        movies = model.movie_ids.rows(self.movie_ids)
        users_known = users != model.user_ids.unknown
        movies_known = movies != model.movie_ids.unknown
        return Run(users, movies, lambda ratings: ColumnsAnswer(ratings, users_known, movies_known))
