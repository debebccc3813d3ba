"""The best movies for a user: the choice of the candidates, and their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from model.asks.base import Call, RawId, Run, ServedModel, User
from model.highest import highest
from model.ranking import RankBy


class BestAnswer(NamedTuple):
    """Movies, highest score first: raw ids, rows (K,), ratings (K,) and scores (K,).

    An unknown movie's row is num_movies.

    `candidates`: how many movies were candidates. `unknown_movies`: how many of the candidates the model does not know.
    """

    movie_ids: Sequence[Any]
    movie_index: np.ndarray
    ratings: np.ndarray
    scores: np.ndarray
    user_known: bool
    candidates: int
    unknown_movies: int

    def num_pairs(self) -> int:
        """One for each candidate."""
        return self.candidates

    def num_unknown(self) -> int:
        """The number of unknown candidates, plus one if the user is unknown."""
        return (not self.user_known) + self.unknown_movies


class BestAsk(NamedTuple):
    """Which movies are best for this user, out of `movie_ids`, or out of all movies if `movie_ids` is None?

    `top_k` is the length of the answer (None: all). `exclude_seen` leaves out the movies that the user picked, by a
    rating or an event. `exclude` leaves out these movies. `genres`, if not empty, leaves out the movies that have none
    of these genres. `rank_by` chooses what sorts them, and `novelty`, 0..1, how much the score of popular movies is
    lowered: see model/ranking.py. `fields` are the facts that the answer shows about each movie besides title and
    genres.
    """

    user_id: RawId | None
    movie_ids: Sequence[RawId] | None = None
    top_k: int | None = None
    exclude_seen: bool = False
    genres: Sequence[str] = ()
    exclude: Sequence[RawId] = ()
    rank_by: RankBy = "rating"
    novelty: float = 0.0
    fields: Sequence[str] = ()

    def plan(self, model: ServedModel, call: Call) -> Run[BestAnswer]:
        """One pair for each candidate."""
        return self.plan_for(model.user(self.user_id), model, call)

    def plan_for(self, user: User, model: ServedModel, call: Call) -> Run[BestAnswer]:
        """The same for a user who was already looked up or folded in."""
        candidates = find_candidates(self, user.picks.movie_index, model)
        users = np.full(len(candidates.rows), user.row)
        score = self._scorer(user, model, call)

        def finish(ratings: np.ndarray) -> BestAnswer:
            ratings = same_for_same(candidates, ratings)
            return rank(candidates, ratings, score(candidates.rows, ratings), self.top_k, user.known, model)

        return Run(users, candidates.rows, finish)

    def _scorer(self, user: User, model: ServedModel, call: Call) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
        """A function from the candidates' rows (K,) and ratings (K,) to their scores (K,)."""
        ranking = model.ranking
        if ranking is None or (self.rank_by == "rating" and not self.novelty):
            return lambda _, ratings: ratings
        interest = call.ask_interest(user.picks)
        rated = bool(len(user.picks.ratings))
        return lambda rows, ratings: ranking.scores(self.rank_by, rows, ratings, interest(), rated, self.novelty)


class Candidates(NamedTuple):
    """Movies to rank: rows (K,) int32 or int64, and the raw ids of the ask (None: look them up)."""

    rows: np.ndarray
    names: Sequence[RawId] | None


def find_candidates(ask: BestAsk, seen: np.ndarray, model: ServedModel) -> Candidates:
    """The movies to rank for a user who picked the movies in the rows `seen` (S,).

    Unknown movies in an ask's own list are candidates too; they get the unknown movie's rating.
    """
    keep = np.ones(len(model.movie_ids) + 1, dtype=bool)
    if ask.genres:
        keep[:-1] = model.catalogue.mask(ask.genres)
        keep[-1] = False
    if ask.exclude_seen:
        keep[seen] = False
    if ask.movie_ids is None:
        if ask.exclude:
            keep[model.movie_ids.rows(ask.exclude)] = False
        return Candidates(np.flatnonzero(keep[:-1]), None)
    rows = model.movie_ids.rows(ask.movie_ids)
    excluded = frozenset(ask.exclude)
    places = [place for place in np.flatnonzero(keep[rows]).tolist() if ask.movie_ids[place] not in excluded]
    return Candidates(rows[places], [ask.movie_ids[place] for place in places])


def same_for_same(candidates: Candidates, ratings: np.ndarray) -> np.ndarray:
    """The ratings (K,), made equal for candidates that are the same movie.

    The place in a batch can change the last digit of a movie's rating. This must not change the order.
    """
    if candidates.names is None or len(frozenset(candidates.rows.tolist())) == len(candidates.rows):
        return ratings
    _, first, place = np.unique(candidates.rows, return_index=True, return_inverse=True)
    return ratings[first][place]


def rank(
    candidates: Candidates,
    ratings: np.ndarray,
    scores: np.ndarray,
    top_k: int | None,
    user_known: bool,
    model: ServedModel,
) -> BestAnswer:
    """The answer, given the candidates' ratings and scores, both (K,)."""
    order = highest(scores, top_k)
    rows = candidates.rows[order]
    if candidates.names is None:
        names: Sequence[Any] = model.movie_ids.raw(rows)
        unknown = 0
    else:
        names = [candidates.names[place] for place in order.tolist()]
        unknown = int(np.count_nonzero(candidates.rows == model.movie_ids.unknown))
    return BestAnswer(names, rows, ratings[order], scores[order], user_known, len(candidates.rows), unknown)
