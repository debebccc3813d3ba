"""An ask about a user together with ratings and events of that user. The ratings fold the user in, without training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from model.asks.base import Answer, Call, RawId, Run, ServedModel, User, UserAsk
from model.picks import Picks


class FoldInAnswer(NamedTuple):
    """The answer, and whether the model knows the movie of each sent rating, (R,) bool, and of each event, (E,) bool.

    The model ignores unknown movies.
    """

    answer: Answer
    movies_known: np.ndarray
    events_known: np.ndarray

    def num_pairs(self) -> int:
        """The pairs of the inner answer."""
        return self.answer.num_pairs()

    def num_unknown(self) -> int:
        """The unknown ids of the inner answer, plus the unknown movies among the ratings and the events."""
        unknown = np.count_nonzero(~self.movies_known) + np.count_nonzero(~self.events_known)
        return self.answer.num_unknown() + int(unknown)


class FoldInAsk(NamedTuple):
    """An ask about a user, with R further ratings and E further events of that user.

    movie_ids, ratings: raw movie ids (R,) and ratings (R,), in rating units; None if only events were sent, so that the
    user's vector stays. events: raw movie ids (E,).

    The model adds them to what it has of the user of `ask`. A sent rating replaces a stored rating and a stored event
    of the same movie. An event of a rated movie does not count. For a user whose id is None, nothing is stored.
    """

    ask: UserAsk
    movie_ids: Sequence[RawId]
    ratings: Sequence[float] | None
    events: Sequence[RawId] = ()

    def plan(self, model: ServedModel, call: Call) -> Run[FoldInAnswer]:
        """The run of the inner ask, for a user whose vector is computed from stored and sent ratings."""
        rated, chosen = model.movie_ids.rows(self.movie_ids), model.movie_ids.rows(self.events)
        user = self._fold_in(rated, chosen, model, call)
        inner = self.ask.plan_for(user, model, call)
        known = rated != model.movie_ids.unknown, chosen != model.movie_ids.unknown
        return Run(inner.users, inner.movies, lambda found: FoldInAnswer(inner.finish(found), *known))

    def fold_in(self, model: ServedModel, call: Call) -> User:
        """The user, with all stored and sent ratings and events."""
        return self._fold_in(model.movie_ids.rows(self.movie_ids), model.movie_ids.rows(self.events), model, call)

    def _fold_in(self, rated: np.ndarray, chosen: np.ndarray, model: ServedModel, call: Call) -> User:
        """The same, from the rows of the sent ratings' movies (R,) and of the events' movies (E,)."""
        stored = model.user(self.ask.user_id)
        known = self.ask.user_id is None or stored.known
        row = stored.row if self.ratings is None else self._encoded(stored, rated, model, call)
        movies_known = rated != model.movie_ids.unknown
        own = stored.picks.movie_index[: len(stored.picks.ratings)]
        kept = ~np.isin(own, rated)
        movies = np.concatenate([own[kept], rated[movies_known]])
        ratings = np.concatenate([stored.picks.ratings[kept], self._sent_ratings(movies_known)])
        events = _without(np.concatenate([stored.picks.events, chosen]), movies, model.movie_ids.unknown)
        return User(row, Picks(np.concatenate([movies, events]), ratings), known)

    def _encoded(self, stored: User, rated: np.ndarray, model: ServedModel, call: Call) -> int:
        """The row of a vector that is computed from all stored and sent ratings, repeated ratings included."""
        movies_known = rated != model.movie_ids.unknown
        stored_movies, stored_ratings = model.history.of_user(stored.row)
        kept = ~np.isin(stored_movies, rated)
        movies = np.concatenate([stored_movies[kept], rated[movies_known]])
        ratings = np.concatenate([stored_ratings[kept], self._sent_ratings(movies_known)])
        return call.add_fold_in(model.scorer.encode(movies, ratings))

    def _sent_ratings(self, movies_known: np.ndarray) -> np.ndarray:
        sent: np.ndarray = np.asarray(self.ratings or (), dtype=np.float32)[movies_known]
        return sent


def _without(events: np.ndarray, rated: np.ndarray, unknown: int) -> np.ndarray:
    """Rows of events (E,), each once, without rated movies and the unknown movie. The order stays."""
    _, first = np.unique(events, return_index=True)
    found = events[np.sort(first)]
    left: np.ndarray = found[~np.isin(found, rated) & (found != unknown)]
    return left
