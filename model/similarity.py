"""The similarity of movies: the cosine of the vectors that the network multiplies with a user's vector."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from model.highest import highest

# Unit vectors of all movies are kept, by each process, if they are at most this large; else each ask computes them.
_KEPT_MIB = 32
_CHUNK_MOVIES = 65_536
# So many neighbours of so many movies are kept, by each process, from the first ask for them on: 20 MiB at most.
KEPT_NEIGHBOURS = 100
_KEPT_MOVIES = 16_384


class Neighbours(NamedTuple):
    """Movies, the most alike first: rows (K,) and cosines (K,)."""

    rows: np.ndarray
    cosines: np.ndarray


def vectors_of(network: Any, device: torch.device) -> Callable[[Tensor], Tensor] | None:
    """What gives the vectors (B, V) of movies' rows (B,): `movie_vectors`, else the movie tower; None without vectors.

    The tower of a network that was adopted may give rows, which are integers, and its vectors may have no width.
    """
    found: Callable[[Tensor], Tensor] = getattr(network, "movie_vectors", network.movie_tower)
    with torch.inference_mode():
        first = found(torch.zeros(1, dtype=torch.int64, device=device))
    return found if first.is_floating_point() and first.shape[1] else None


class Similarity:
    """How alike `num_movies` movies are by their vectors, which `vectors` gives for rows; see `vectors_of`."""

    def __init__(self, vectors: Callable[[Tensor], Tensor], num_movies: int, device: torch.device) -> None:
        self._vectors = vectors
        self._num_movies = num_movies
        self._device = device
        width = self._unit_vectors(0, 1).shape[1]
        fits = num_movies * width * 4 <= _KEPT_MIB * 2**20
        self._kept = self._unit_vectors(0, num_movies) if fits else None
        self._first_neighbours = lru_cache(_KEPT_MOVIES)(self._find_first)

    def nearest(self, row: int, number: int) -> Neighbours:
        """The `number` movies that are most alike to the one in `row`, of all others; none where it has no vector."""
        if number > KEPT_NEIGHBOURS:
            return self.nearest_of(np.ones(self._num_movies, dtype=bool), row, number)
        rows, cosines = self._first_neighbours(row)
        return Neighbours(rows[:number], cosines[:number])

    def nearest_of(self, keep: np.ndarray, row: int, number: int) -> Neighbours:
        """The same of the movies that `keep` (num_movies,) bool leaves; the one in `row` is none of them."""
        cosines = self.cosines(row)
        keep[row] = False
        if not cosines[row]:
            keep[:] = False
        rows = np.flatnonzero(keep)
        rows = rows[highest(cosines[rows], number)]
        return Neighbours(rows, cosines[rows])

    def _find_first(self, row: int) -> Neighbours:
        return self.nearest_of(np.ones(self._num_movies, dtype=bool), row, KEPT_NEIGHBOURS)

    def cosines(self, row: int) -> np.ndarray:
        """(num_movies,) float32, -1 to 1: the similarity of each movie to the movie in `row`; 0 for a zero vector."""
        if self._kept is not None:
            kept: np.ndarray = self._kept @ self._kept[row]
            return kept
        own = self._unit_vectors(row, row + 1)[0]
        starts = range(0, self._num_movies, _CHUNK_MOVIES)
        return np.concatenate([self._unit_vectors(start, start + _CHUNK_MOVIES) @ own for start in starts])

    def _unit_vectors(self, start: int, end: int) -> np.ndarray:
        with torch.inference_mode():
            rows = torch.arange(start, min(end, self._num_movies), device=self._device)
            unit: np.ndarray = torch.nn.functional.normalize(self._vectors(rows), dim=1).cpu().numpy()
            return unit
