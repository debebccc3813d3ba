"""The similarity of movies: the cosine of the vectors that the network multiplies with a user's vector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

# Each process keeps the unit vectors of all movies if they are at most this large; else each ask computes them.
_KEPT_MIB = 32
_CHUNK_MOVIES = 65_536


class Similarity:
    """The vectors of `num_movies` movies: the network's `movie_vectors`, or its movie tower's output if it has none."""

    def __init__(self, network: Any, num_movies: int, device: torch.device) -> None:
        self._vectors: Callable[[Tensor], Tensor] = getattr(network, "movie_vectors", network.movie_tower)
        self._num_movies = num_movies
        self._device = device
        width = self._unit_vectors(0, 1).shape[1]
        fits = num_movies * width * 4 <= _KEPT_MIB * 2**20
        self._kept = self._unit_vectors(0, num_movies) if fits else None

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
