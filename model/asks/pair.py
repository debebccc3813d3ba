"""One user's rating of one movie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from model.asks.base import Call, RawId, Run, ServedModel, User


class PairAnswer(NamedTuple):
    """A rating on the data's scale, and which of the two ids the model knows."""

    rating: float
    user_known: bool
    movie_known: bool

    def num_pairs(self) -> int:
        """One."""
        return 1

    def num_unknown(self) -> int:
        """How many of the pair's two ids the model does not know."""
        return (not self.user_known) + (not self.movie_known)


class PairAsk(NamedTuple):
    """How would this user rate this movie?"""

    user_id: RawId | None
    movie_id: RawId

    def plan_for(self, user: User, model: ServedModel, call: Call) -> Run[PairAnswer]:  # noqa: ARG002  every ask gets it
        """The run of only this pair, for a user who was already looked up or folded in."""
        movies = np.array([model.movie_ids.row(self.movie_id)])
        movie_known = bool(movies[0] != model.movie_ids.unknown)

        def finish(ratings: np.ndarray) -> PairAnswer:
            return PairAnswer(float(ratings[0]), user.known, movie_known)

        return Run(np.array([user.row]), movies, finish)


def plan_pairs(asks: Sequence[PairAsk], model: ServedModel) -> Run[list[PairAnswer]]:
    """One run for all single pairs of a batch, so that all ids are looked up together."""
    users = model.user_ids.rows([ask.user_id for ask in asks])
    movies = model.movie_ids.rows([ask.movie_id for ask in asks])
    users_known = users != model.user_ids.unknown
    movies_known = movies != model.movie_ids.unknown

    def finish(ratings: np.ndarray) -> list[PairAnswer]:
        return list(map(PairAnswer, ratings.tolist(), users_known.tolist(), movies_known.tolist()))

    return Run(users, movies, finish)
