"""Computes the interest of users on a CPU with numpy: the same as `Interest.forward`, without TorchScript's overhead.

A user picked only few movies, so their interest is a sum of few rows of W. For one user, this takes a fifth of the
module's time.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model.interest import Interest
from model.neighbours import Neighbours
from model.picks import Picks


class InterestRows:
    """The arrays of an interest part on a CPU."""

    def __init__(self, interest: Interest) -> None:
        self._column = interest.column.numpy()
        self._weights = interest.weights.numpy()
        self._level = float(interest.level)
        self._event = float(interest.event)
        self._popular = (interest.prior * interest.popularity).numpy()
        self._restraint = (interest.restraint * interest.rarity).numpy()
        self._is_restrained = float(interest.restraint) != 0
        self._neighbours = _NeighbourRows(interest.neighbours)

    def interests(self, picks: Sequence[Picks]) -> np.ndarray:
        """Interest (N, num_movies + 1) float32 of N users in every movie; see `Interest.forward`."""
        taste = np.empty((len(picks), len(self._weights)), dtype=np.float32)
        strengths = [one.strengths(self._level, self._event) for one in picks]
        for row, own, strength in zip(taste, picks, strengths, strict=True):
            columns = self._column.take(own.movie_index)
            np.matmul(strength, self._weights.take(columns, axis=0), out=row)
        drawn = taste.take(self._column, axis=1)
        if self._neighbours.exist:
            for row, own, strength in zip(drawn, picks, strengths, strict=True):
                self._neighbours.add_to(row, own.movie_index, strength)
        number = np.array([[len(one.movie_index)] for one in picks], dtype=np.float32)
        drawn += self._popular / (1 + number)
        if self._is_restrained:
            drawn += drawn.std(axis=1, keepdims=True) * (number > 0) * self._restraint
        return drawn


class _NeighbourRows:
    """The arrays of `Neighbours`: the weights of movies outside the table."""

    def __init__(self, neighbours: Neighbours) -> None:
        self._first = neighbours.first.numpy()
        self._target = neighbours.target.numpy()
        self._weight = neighbours.weight.numpy()
        self.exist = len(self._target) > 0

    def add_to(self, drawn: np.ndarray, movies: np.ndarray, strength: np.ndarray) -> None:
        """Adds the weights of one user's picks, the movies in these rows (n,), to `drawn` (M + 1,), in place."""
        for movie, share in zip(movies.tolist(), strength.tolist(), strict=True):
            own = slice(self._first[movie], self._first[movie + 1])
            np.add.at(drawn, self._target[own], np.float32(share) * self._weight[own])
