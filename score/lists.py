"""The best movies of many users at once: the same lists as those of the ask `best`, at a fraction of the work.

By rating, every pair goes through the network's head, in tiles. In a large catalogue, a sketch of the head first
chooses a shortlist for each user, and the head rates only the shortlist. With `exact`, the head rates everything.

By blend or interest, the interest of all movies is known before any is rated. The rating adds at most its reach:

    score(u, m) <= interest(u, m) + reach

So the likely movies are rated first. Of the others, only those are rated that can still beat the worst movie of the
list. The lists are exactly the same as when every pair is rated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from torch import Tensor

from model.asks import BestAsk, Call, ServedModel, User
from model.asks.best import find_candidates
from model.highest import highest
from model.ranking import RankBy

# How many movies the sketch leaves to the head, and from how many candidates on that is worth it.
SHORTLIST, LARGE_CATALOGUE = 1_000, 8_000
# How many times `top_k` movies are rated before it is known which others can still be among the best.
_LIKELY = 4


@dataclass(frozen=True)
class Wanted:
    """What the lists hold: see `BestAsk`. exact: rate every pair where the order is by rating."""

    top_k: int
    rank_by: RankBy
    genres: tuple[str, ...] = ()
    exclude_seen: bool = True
    exact: bool = False


class BestList(NamedTuple):
    """One user's movies, highest score first: rows (K,), ratings (K,) and scores (K,)."""

    rows: np.ndarray
    ratings: np.ndarray
    scores: np.ndarray


class ListMaker:
    """Makes the lists that are wanted, with one model."""

    def __init__(self, model: ServedModel, wanted: Wanted) -> None:
        self._model = model
        self._wanted = wanted
        self._ask = BestAsk(None, exclude_seen=wanted.exclude_seen, genres=wanted.genres)
        self._all = find_candidates(self._ask._replace(exclude_seen=False), np.empty(0, dtype=np.int64), model).rows
        self._place = np.zeros(len(model.movie_ids) + 1, dtype=np.int64)
        self._place[self._all] = np.arange(len(self._all))
        large = len(self._all) >= LARGE_CATALOGUE and model.scorer.can_sketch
        self._shortens = large and not wanted.exact and wanted.top_k <= SHORTLIST // 10

    @property
    def candidates(self) -> int:
        """The number of movies that a list is chosen from, including those that a user has seen."""
        return len(self._all)

    def lists(self, users: Sequence[User], call: Call) -> list[BestList]:
        """The list of each user; `call` holds the vectors of those who were folded in."""
        if self._model.ranking is None or self._wanted.rank_by == "rating":
            return self._by_rating(users, call.fold_ins)
        interests = [call.ask_interest(user.picks) for user in users]
        return self._by_interest(users, [interest() for interest in interests], call.fold_ins)

    def _by_rating(self, users: Sequence[User], fold_ins: Sequence[Tensor]) -> list[BestList]:
        rows = np.array([user.row for user in users])
        own = [self._candidates(user) for user in users]
        if self._shortens:
            sketches = self._model.scorer.sketch_all(rows, self._all, fold_ins)
            own = [
                _highest_few(movies, sketch[self._place[movies]]) for movies, sketch in zip(own, sketches, strict=True)
            ]
            ratings = self._rate(users, own, fold_ins)
        else:
            table = self._model.scorer.rate_all(rows, self._all, fold_ins)
            ratings = [line[self._place[movies]] for movies, line in zip(own, table, strict=True)]
        return [self._best(movies, given, given) for movies, given in zip(own, ratings, strict=True)]

    def _by_interest(
        self, users: Sequence[User], interests: Sequence[np.ndarray], fold_ins: Sequence[Tensor]
    ) -> list[BestList]:
        own = [self._candidates(user) for user in users]
        likely = []
        for movies, interest in zip(own, interests, strict=True):
            likely.append(movies[highest(interest[movies], _LIKELY * self._wanted.top_k)])
        ratings = self._rate(users, likely, fold_ins)
        possible = []
        for user, movies, interest, first, given in zip(users, own, interests, likely, ratings, strict=True):
            worst = self._worst_of_best(self._scores(user, first, given, interest))
            possible.append(movies[interest[movies].astype(np.float64) + self._reach(user) >= worst])
        ratings = self._rate(users, possible, fold_ins)
        found = []
        for user, interest, movies, given in zip(users, interests, possible, ratings, strict=True):
            found.append(self._best(movies, given, self._scores(user, movies, given, interest)))
        return found

    def _candidates(self, user: User) -> np.ndarray:
        """Rows, ascending, of the movies that the user's list may hold."""
        if not self._wanted.exclude_seen:
            return self._all
        return find_candidates(self._ask, user.picks.movie_index, self._model).rows

    def _rate(
        self, users: Sequence[User], movies: Sequence[np.ndarray], fold_ins: Sequence[Tensor]
    ) -> list[np.ndarray]:
        """The ratings of each user's own movies."""
        counts = [len(own) for own in movies]
        owners = np.repeat([user.row for user in users], counts)
        ratings = self._model.scorer.rate(owners, np.concatenate(movies), fold_ins)
        return np.split(ratings, np.cumsum(counts)[:-1])

    def _scores(self, user: User, movies: np.ndarray, ratings: np.ndarray, interest: np.ndarray) -> np.ndarray:
        assert self._model.ranking is not None
        rated = bool(len(user.picks.ratings))
        return self._model.ranking.scores(self._wanted.rank_by, movies, ratings, interest, rated)

    def _reach(self, user: User) -> float:
        assert self._model.ranking is not None
        rated = bool(len(user.picks.ratings))
        return self._model.ranking.rating_reach(self._wanted.rank_by, rated, self._model.scale)

    def _worst_of_best(self, scores: np.ndarray) -> float:
        """The score that a movie must reach to be in the list, as far as these scores tell."""
        best = scores[highest(scores, self._wanted.top_k)]
        return float(best[-1]) if len(best) == self._wanted.top_k else -np.inf

    def _best(self, movies: np.ndarray, ratings: np.ndarray, scores: np.ndarray) -> BestList:
        order = highest(scores, self._wanted.top_k)
        return BestList(movies[order], ratings[order], scores[order])


def _highest_few(movies: np.ndarray, sketch: np.ndarray) -> np.ndarray:
    """The rows, ascending, of the shortlist: the movies (K,) whose sketch (K,) is highest."""
    if len(movies) <= SHORTLIST:
        return movies
    return movies[np.sort(np.argpartition(sketch, -SHORTLIST)[-SHORTLIST:])]
