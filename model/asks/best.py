"""The movies that a user would rate highest: which are candidates, and which of them come first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from model.asks.base import FoldIns, RawId, Run, ServedModel, User


class BestAnswer(NamedTuple):
    """Movies, highest rating first: raw ids, rows (K,) and ratings (K,); an unknown movie's row is num_movies.

    `candidates`: how many movies were rated to choose these from. `unknown_movies`: how many of the candidates the
    model does not know.
    """

    movie_ids: Sequence[Any]
    movie_index: np.ndarray
    ratings: np.ndarray
    user_known: bool
    candidates: int
    unknown_movies: int

    def num_pairs(self) -> int:
        """One for each candidate."""
        return self.candidates

    def num_unknown(self) -> int:
        """The user, where unknown, and unknown candidates."""
        return (not self.user_known) + self.unknown_movies


class BestAsk(NamedTuple):
    """Which movies would this user rate highest: of `movie_ids`, or of all where that is None?

    `top_k` is the length of the answer (None: all). `exclude_seen` leaves out the movies that the user rated, `exclude`
    leaves out these movies, and `genres`, where not empty, leaves out the movies that have none of these genres.
    """

    user_id: RawId | None
    movie_ids: Sequence[RawId] | None = None
    top_k: int | None = None
    exclude_seen: bool = False
    genres: Sequence[str] = ()
    exclude: Sequence[RawId] = ()

    def plan(self, model: ServedModel, fold_ins: FoldIns) -> Run[BestAnswer]:  # noqa: ARG002  every ask gets them
        """One pair for each candidate."""
        return self.plan_for(model.user(self.user_id), model)

    def plan_for(self, user: User, model: ServedModel) -> Run[BestAnswer]:
        """The same for a user who is already looked up or folded in."""
        candidates = find_candidates(self, user.rated, model)
        users = np.full(len(candidates.rows), user.row)

        def finish(ratings: np.ndarray) -> BestAnswer:
            return rank(candidates, ratings, self.top_k, user.known, model)

        return Run(users, candidates.rows, finish)


class Candidates(NamedTuple):
    """Movies to be ranked: rows (K,) int32 or int64, and their raw ids as the ask named them (None: look them up)."""

    rows: np.ndarray
    names: Sequence[RawId] | None


def find_candidates(ask: BestAsk, rated: np.ndarray, model: ServedModel) -> Candidates:
    """The movies to be ranked for a user who rated the movies of these rows, (S,).

    Unknown movies of an ask's own list are candidates too, with the unknown movie's rating.
    """
    keep = np.ones(len(model.movie_ids) + 1, dtype=bool)
    if ask.genres:
        keep[:-1] = model.catalogue.mask(ask.genres)
        keep[-1] = False
    if ask.exclude_seen:
        keep[rated] = False
    if ask.movie_ids is None:
        if ask.exclude:
            keep[model.movie_ids.rows(ask.exclude)] = False
        return Candidates(np.flatnonzero(keep[:-1]), None)
    rows = model.movie_ids.rows(ask.movie_ids)
    excluded = frozenset(ask.exclude)
    places = [place for place in np.flatnonzero(keep[rows]).tolist() if ask.movie_ids[place] not in excluded]
    return Candidates(rows[places], [ask.movie_ids[place] for place in places])


def rank(
    candidates: Candidates, ratings: np.ndarray, top_k: int | None, user_known: bool, model: ServedModel
) -> BestAnswer:
    """The answer, given the candidates' ratings (K,)."""
    if candidates.names is not None and len(frozenset(candidates.rows.tolist())) < len(candidates.rows):
        # One movie's ratings differ in the last digit by their places in a batch: its order must not.
        _, first, place = np.unique(candidates.rows, return_index=True, return_inverse=True)
        ratings = ratings[first][place]
    order = highest(ratings, top_k)
    rows = candidates.rows[order]
    if candidates.names is None:
        return BestAnswer(model.movie_ids.raw(rows), rows, ratings[order], user_known, len(candidates.rows), 0)
    names = [candidates.names[place] for place in order.tolist()]
    unknown = int(np.count_nonzero(candidates.rows == model.movie_ids.unknown))
    return BestAnswer(names, rows, ratings[order], user_known, len(candidates.rows), unknown)


def highest(ratings: np.ndarray, top_k: int | None) -> np.ndarray:
    """Positions of the `top_k` highest ratings, highest first; among equals the earlier one."""
    if top_k is not None and top_k < len(ratings):
        smallest = np.partition(ratings, len(ratings) - top_k)[len(ratings) - top_k]
        chosen = np.flatnonzero(ratings >= smallest)
    else:
        chosen = np.arange(len(ratings))
    order: np.ndarray = chosen[np.argsort(-ratings[chosen], kind="stable")][:top_k]
    return order
