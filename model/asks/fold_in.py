"""Any ask about a user, with ratings sent along: the user is folded in from them, without training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from model.asks.base import Answer, Call, RawId, Run, ServedModel, User, UserAsk
from model.history import Rated


class FoldInAnswer(NamedTuple):
    """The answer, and which of the sent ratings' movies the model knows, (R,) bool; it ignores the other ratings."""

    answer: Answer
    movies_known: np.ndarray

    def num_pairs(self) -> int:
        """Those of the answer inside."""
        return self.answer.num_pairs()

    def num_unknown(self) -> int:
        """Those of the answer inside, and unknown movies among the ratings."""
        return self.answer.num_unknown() + int(np.count_nonzero(~self.movies_known))


class FoldInAsk(NamedTuple):
    """An ask about a user who also gave these ratings: R raw movie ids and R ratings, in rating units.

    They are added to the ratings that the model has of the user of `ask`, and replace earlier ratings of the same
    movies. A user whose id is None has no other ratings.
    """

    ask: UserAsk
    movie_ids: Sequence[RawId]
    ratings: Sequence[float]

    def plan(self, model: ServedModel, call: Call) -> Run[FoldInAnswer]:
        """The run of the ask inside, for a user whose vector is computed from old and new ratings."""
        user, movies_known = self.fold_in(model, call)
        inner = self.ask.plan_for(user, model, call)
        return Run(inner.users, inner.movies, lambda rated: FoldInAnswer(inner.finish(rated), movies_known))

    def fold_in(self, model: ServedModel, call: Call) -> tuple[User, np.ndarray]:
        """The user, whose vector is computed from old and new ratings, and which movies the model knows, (R,) bool."""
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
