"""Which movies are candidates for a user, and which of them rank highest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from model.asks import BestAnswer, BestAsk, RawId
from model.catalogue import Catalogue
from model.ids import IdMap


class Candidates(NamedTuple):
    """Movies to be ranked: rows (K,) int32 or int64, and their raw ids as the ask named them (None: look them up)."""

    rows: np.ndarray
    names: Sequence[RawId] | None


class Ranker:
    """Chooses and ranks movies by row."""

    def __init__(self, movie_ids: IdMap, catalogue: Catalogue) -> None:
        self._movie_ids = movie_ids
        self._catalogue = catalogue

    def candidates(self, ask: BestAsk, seen: np.ndarray) -> Candidates:
        """The movies to be ranked, given the rows of those that the user rated, (S,).

        Of an ask's own list unknown movies stay: they get the unknown movie's rating.
        """
        keep = np.ones(len(self._movie_ids) + 1, dtype=bool)
        if ask.genres:
            keep[:-1] = self._catalogue.mask(ask.genres)
            keep[-1] = False
        if ask.exclude_seen:
            keep[seen] = False
        if ask.movie_ids is None:
            if ask.exclude:
                keep[self._movie_ids.rows(ask.exclude)] = False
            return Candidates(np.flatnonzero(keep[:-1]), None)
        rows, excluded = self._movie_ids.rows(ask.movie_ids), frozenset(ask.exclude)
        places = [place for place in np.flatnonzero(keep[rows]).tolist() if ask.movie_ids[place] not in excluded]
        return Candidates(rows[places], [ask.movie_ids[place] for place in places])

    def ranked(self, ask: BestAsk, candidates: Candidates, ratings: np.ndarray, user_known: bool) -> BestAnswer:
        """The answer, given the candidates' ratings (K,)."""
        if candidates.names is not None and len(frozenset(candidates.rows.tolist())) < len(candidates.rows):
            # One movie's ratings differ in the last digit by their places in a batch: its order must not.
            _, first, place = np.unique(candidates.rows, return_index=True, return_inverse=True)
            ratings = ratings[first][place]
        order = highest(ratings, ask.top_k)
        rows, names = candidates.rows[order], candidates.names
        movie_ids = self._movie_ids.raw(rows) if names is None else [names[place] for place in order.tolist()]
        unknown = 0 if names is None else int(np.count_nonzero(candidates.rows == self._movie_ids.unknown))
        return BestAnswer(movie_ids, rows, ratings[order], user_known, len(candidates.rows), unknown)


def highest(ratings: np.ndarray, top_k: int | None) -> np.ndarray:
    """Positions of the `top_k` highest ratings, highest first; among equals the earlier one."""
    if top_k is not None and top_k < len(ratings):
        smallest = np.partition(ratings, len(ratings) - top_k)[len(ratings) - top_k]
        chosen = np.flatnonzero(ratings >= smallest)
    else:
        chosen = np.arange(len(ratings))
    order: np.ndarray = chosen[np.argsort(-ratings[chosen], kind="stable")][:top_k]
    return order
