"""Raw ids in, ratings out. Knows no server and no HTTP.

All asks of a call are scored in one pass: their (user, movie) rows are laid end to end, the network sees them
once, and each ask takes its own slice back. So a batch costs one forward, however many clients it came from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, cast

import numpy as np
import torch

from model.artifact import Artifact
from model.asks import Answer, Ask, BestAnswer, BestAsk, PairAnswer, PairAsk, RawId
from model.network import TowerNetwork

# A side's tower is computed once for all its rows where the result is at most this large; else per request.
TOWER_CACHE_MIB = 64
# Pairs per forward: bounds the memory of one call, large enough that its fixed cost does not show.
CHUNK_PAIRS = 65_536


class _Candidates(NamedTuple):
    """Movies to be ranked: rows (K,), and their raw ids as the ask named them (None: look the known ones up)."""

    rows: np.ndarray
    names: Sequence[RawId] | None


class Predictor:
    """Answers asks with an artifact's network, on the device where that network lies."""

    def __init__(self, artifact: Artifact, device: str = "cpu") -> None:
        self.user_ids = artifact.user_ids
        self.movie_ids = artifact.movie_ids
        self.scale = artifact.scale
        self.history = artifact.history
        self.catalogue = artifact.catalogue
        self.metadata = artifact.metadata
        self.device = torch.device(device)
        network = cast(TowerNetwork, artifact.network)
        self._head = network.head
        with torch.inference_mode():
            self._user_tower = self._tower(network.user_tower, len(self.user_ids) + 1)
            self._movie_tower = self._tower(network.movie_tower, len(self.movie_ids) + 1)

    def rate(self, user_index: np.ndarray, movie_index: np.ndarray) -> np.ndarray:
        """Ratings of pairs of rows: two (B,) int64 arrays -> (B,) float64, in rating units.

        Raises:
            IndexError: a row lies outside the table. Checked here, on the CPU: an index out of range on a GPU
                would leave its process useless.
        """
        for rows, ids in ((user_index, self.user_ids), (movie_index, self.movie_ids)):
            if len(rows) and not (rows.min() >= 0 and rows.max() <= ids.unknown):
                raise IndexError(f"row outside 0..{ids.unknown}")
        units = np.empty(len(user_index), dtype=np.float32)
        with torch.inference_mode():
            for start in range(0, len(user_index), CHUNK_PAIRS):
                part = slice(start, start + CHUNK_PAIRS)
                user = self._user_tower(torch.from_numpy(user_index[part]).to(self.device))
                movie = self._movie_tower(torch.from_numpy(movie_index[part]).to(self.device))
                units[part] = self._head(user, movie).cpu().numpy()
        return self.scale.to_rating(units.astype(np.float64))

    def answer(self, asks: Sequence[Ask]) -> list[Answer]:
        """Answers each ask, in order, with one forward for all of them."""
        pairs = [ask for ask in asks if isinstance(ask, PairAsk)]
        bests = [ask for ask in asks if isinstance(ask, BestAsk)]
        pair_users = self.user_ids.rows([ask.user_id for ask in pairs])
        pair_movies = self.movie_ids.rows([ask.movie_id for ask in pairs])
        best_users = self.user_ids.rows([ask.user_id for ask in bests])
        candidates = [self._candidates(ask, row) for ask, row in zip(bests, best_users, strict=True)]
        sizes = [len(found.rows) for found in candidates]
        ratings = self.rate(
            np.concatenate([pair_users, np.repeat(best_users, sizes)]),
            np.concatenate([pair_movies, *(found.rows for found in candidates)]),
        )
        pair_ratings, *best_ratings = np.split(ratings, np.cumsum([len(pairs), *sizes])[:-1])
        users_known = (pair_users != self.user_ids.unknown).tolist()
        movies_known = (pair_movies != self.movie_ids.unknown).tolist()
        pair_answers = map(PairAnswer, pair_ratings.tolist(), users_known, movies_known)
        best_answers = map(self._ranked, bests, best_users.tolist(), candidates, best_ratings)
        return [next(pair_answers) if isinstance(ask, PairAsk) else next(best_answers) for ask in asks]

    def _candidates(self, ask: BestAsk, user_row: int) -> _Candidates:
        """The movies to be ranked. Of an ask's own list unknown ones stay: they get the unknown movie's rating."""
        keep = np.ones(len(self.movie_ids) + 1, dtype=bool)
        if ask.genres:
            keep[:-1] = self.catalogue.mask(ask.genres)
            keep[-1] = False
        if ask.exclude_seen:
            keep[self.history.seen(user_row)] = False
        if ask.movie_ids is None:
            keep[self.movie_ids.rows(ask.exclude)] = False
            return _Candidates(np.flatnonzero(keep[:-1]), None)
        rows, excluded = self.movie_ids.rows(ask.movie_ids), frozenset(ask.exclude)
        places = [place for place in np.flatnonzero(keep[rows]).tolist() if ask.movie_ids[place] not in excluded]
        return _Candidates(rows[places], [ask.movie_ids[place] for place in places])

    def _ranked(self, ask: BestAsk, user_row: int, candidates: _Candidates, ratings: np.ndarray) -> BestAnswer:
        order = _highest(ratings, ask.top_k)
        rows, names = candidates.rows[order], candidates.names
        movie_ids = self.movie_ids.raw(rows) if names is None else [names[place] for place in order.tolist()]
        return BestAnswer(movie_ids, rows, ratings[order], user_row != self.user_ids.unknown)

    def _tower(
        self, tower: Callable[[torch.Tensor], torch.Tensor], rows: int
    ) -> Callable[[torch.Tensor], torch.Tensor]:
        width = tower(torch.zeros(1, dtype=torch.int64, device=self.device)).shape[1]
        if rows * width * 4 > TOWER_CACHE_MIB * 2**20:
            return tower
        table = tower(torch.arange(rows, device=self.device))
        return lambda index: table[index]


def _highest(ratings: np.ndarray, top_k: int | None) -> np.ndarray:
    """Positions of the `top_k` highest ratings, highest first; among equals the earlier one."""
    if top_k is not None and top_k < len(ratings):
        smallest = np.partition(ratings, len(ratings) - top_k)[len(ratings) - top_k]
        chosen = np.flatnonzero(ratings >= smallest)
    else:
        chosen = np.arange(len(ratings))
    order: np.ndarray = chosen[np.argsort(-ratings[chosen], kind="stable")][:top_k]
    return order
