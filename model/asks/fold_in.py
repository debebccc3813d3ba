"""An ask about a user together with ratings of that user. The ratings fold the user in, without training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from model.asks.base import Answer, Call, RawId, Run, ServedModel, User, UserAsk
from model.history import Rated


class FoldInAnswer(NamedTuple):
    """The answer, and whether the model knows the movie of each sent rating, (R,) bool; it ignores unknown movies."""

    answer: Answer
    movies_known: np.ndarray

    def num_pairs(self) -> int:
        """The pairs of the inner answer."""
        return self.answer.num_pairs()

    def num_unknown(self) -> int:
        """The unknown ids of the inner answer, plus the unknown movies among the ratings."""
        return self.answer.num_unknown() + int(np.count_nonzero(~self.movies_known))


class FoldInAsk(NamedTuple):
    """An ask about a user, and R further ratings of that user: raw movie ids (R,) and ratings (R,), in rating units.

    The model adds them to the stored ratings of the user of `ask`. A sent rating replaces a stored rating of the same
    movie. A user whose id is None has no stored ratings.
    """

    ask: UserAsk
    movie_ids: Sequence[RawId]
    ratings: Sequence[float]

    def plan(self, model: ServedModel, call: Call) -> Run[FoldInAnswer]:
        """The run of the inner ask, for a user whose vector is computed from stored and sent ratings."""
        user, movies_known = self.fold_in(model, call)
        inner = self.ask.plan_for(user, model, call)
        return Run(inner.users, inner.movies, lambda rated: FoldInAnswer(inner.finish(rated), movies_known))

    def fold_in(self, model: ServedModel, call: Call) -> tuple[User, np.ndarray]:
        """The folded-in user, and whether the model knows the movie of each sent rating, (R,) bool."""
        stored = model.user(self.ask.user_id)
        sent = model.movie_ids.rows(self.movie_ids)
        movies_known = sent != model.movie_ids.unknown
        stored_movies, stored_ratings = model.history.of_user(stored.row)
        kept = ~np.isin(stored_movies, sent)
        movies = np.concatenate([stored_movies[kept], sent[movies_known]])
        sent_ratings = np.asarray(self.ratings, dtype=np.float32)[movies_known]
        ratings = np.concatenate([stored_ratings[kept], sent_ratings])
        row = call.add_fold_in(model.scorer.encode(movies, ratings))
        known = self.ask.user_id is None or stored.known
        return User(row, self._rated(stored, sent, movies_known), known), movies_known

    def _rated(self, stored: User, sent: np.ndarray, movies_known: np.ndarray) -> Rated:
        """Stored and sent ratings, each movie once."""
        kept = ~np.isin(stored.rated.movie_index, sent)
        movies = np.concatenate([stored.rated.movie_index[kept], sent[movies_known]])
        ratings = np.concatenate([stored.rated.ratings[kept], np.asarray(self.ratings, dtype=np.float32)[movies_known]])
        return Rated(movies, ratings)
