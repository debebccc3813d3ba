"""Who rated what: each user's rated movies, in compressed sparse rows."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class Rated(NamedTuple):
    """One user's history: rows of movies (n,) int32 and the ratings given (n,) float32, in rating units."""

    movie_index: np.ndarray
    ratings: np.ndarray


@dataclass(frozen=True)
class History:
    """The ratings of user row u are the entries `offsets[u]` to `offsets[u + 1]` of the other two arrays.

    Args:
        offsets: (num_users + 1,) int32 or int64, ascending from 0.
        movie_index: (num_ratings,) int32 rows of movies.
        ratings: (num_ratings,) float32, in rating units.

    Raises:
        ValueError: the arrays do not fit each other.
    """

    offsets: np.ndarray
    movie_index: np.ndarray
    ratings: np.ndarray

    def __post_init__(self) -> None:
        ascending = bool((np.diff(self.offsets) >= 0).all())
        if self.offsets[0] != 0 or not ascending or self.offsets[-1] != len(self.movie_index):
            raise ValueError("history: offsets must ascend from 0 to the number of ratings")
        if len(self.ratings) != len(self.movie_index):
            raise ValueError(f"history: {len(self.movie_index)} movies but {len(self.ratings)} ratings")

    @classmethod
    def from_ratings(
        cls, user_index: np.ndarray, movie_index: np.ndarray, ratings: np.ndarray, num_users: int
    ) -> History:
        """Groups ratings, in arrays (num_ratings,), by user. The ratings of one user keep their order."""
        order = np.argsort(user_index, kind="stable")
        counts = np.bincount(user_index, minlength=num_users)
        offsets = np.concatenate(([0], np.cumsum(counts)))
        offsets = offsets.astype(np.int32 if offsets[-1] < 2**31 else np.int64)
        return cls(offsets, movie_index[order].astype(np.int32), ratings[order].astype(np.float32))

    @property
    def num_users(self) -> int:
        """The number of users, including those without ratings."""
        return len(self.offsets) - 1

    def places_of(self, users: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """For each rating of these users (N,), user by user: which of them has it (R,), and its place here (R,)."""
        starts = self.offsets[users].astype(np.int64)
        counts = self.offsets[users + 1] - starts
        owner = np.repeat(np.arange(len(users)), counts)
        begin = starts - (np.cumsum(counts) - counts)
        return owner, begin[owner] + np.arange(len(owner))

    def few_at_once(self, users: np.ndarray, most: int = 1 << 20) -> Iterator[slice]:
        """Cuts users (N,) into slices with at most so many ratings, so that a mapped history need not fit into memory.

        A user with more ratings is alone.
        """
        ends = np.concatenate(([0], np.cumsum(self.offsets[users + 1] - self.offsets[users], dtype=np.int64)))
        first = 0
        while first < len(users):
            last = max(first + 1, int(np.searchsorted(ends, ends[first] + most, side="right")) - 1)
            yield slice(first, last)
            first = last

    def without_repeats(self) -> History:
        """The same history; if a user rated a movie more than once, only the last rating stays."""
        owner = np.repeat(np.arange(self.num_users), np.diff(self.offsets))
        pair = owner * (int(self.movie_index.max(initial=0)) + 1) + self.movie_index
        _, last = np.unique(pair[::-1], return_index=True)
        if len(last) == len(pair):
            return self
        kept = np.sort(len(pair) - 1 - last)
        return History.from_ratings(owner[kept], self.movie_index[kept], self.ratings[kept], self.num_users)

    def seen(self, user_row: int) -> np.ndarray:
        """Rows of the movies that the user rated; empty for the unknown user."""
        return self.of_user(user_row)[0]

    def of_user(self, user_row: int) -> Rated:
        """All ratings of a user; none for the unknown user."""
        if user_row >= len(self.offsets) - 1:
            return Rated(self.movie_index[:0], self.ratings[:0])
        own = slice(self.offsets[user_row], self.offsets[user_row + 1])
        return Rated(self.movie_index[own], self.ratings[own])

    def last_of_user(self, user_row: int) -> Rated:
        """As `of_user`, but with only the last rating of each movie."""
        rated = self.of_user(user_row)
        movies, ratings = rated
        if len(frozenset(movies.tolist())) == len(movies):
            return rated
        _, last = np.unique(movies[::-1], return_index=True)
        kept = np.sort(len(movies) - 1 - last)
        return Rated(movies[kept], ratings[kept])

    def to_bytes(self) -> bytes:
        """The three arrays as an uncompressed .npz."""
        buffer = io.BytesIO()
        np.savez(buffer, offsets=self.offsets, movie_index=self.movie_index, ratings=self.ratings)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> History:
        """Reads what `to_bytes` wrote; pickled objects are refused."""
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return cls(arrays["offsets"], arrays["movie_index"], arrays["ratings"])
