"""Who chose what without rating it: the movies of each user's events, in compressed sparse rows."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np

from model.distinct import distinct
from model.history import History


@dataclass(frozen=True)
class EventHistory:
    """The movies of user row u's events are the entries `offsets[u]` to `offsets[u + 1]` of `movie_index`.

    A user has each movie at most once, and none that they rated. Users beyond the last offset have no events.

    Args:
        offsets: (num_users + 1,) int32 or int64, ascending from 0.
        movie_index: (num_events,) int32 rows of movies.

    Raises:
        ValueError: the arrays do not fit each other.
    """

    offsets: np.ndarray
    movie_index: np.ndarray

    def __post_init__(self) -> None:
        ascending = bool((np.diff(self.offsets) >= 0).all())
        if self.offsets[0] != 0 or not ascending or self.offsets[-1] != len(self.movie_index):
            raise ValueError("events: offsets must ascend from 0 to the number of events")

    @classmethod
    def from_pairs(cls, user_index: np.ndarray, movie_index: np.ndarray, history: History) -> EventHistory:
        """Groups events, in arrays (N,), by user. Repeated pairs count once; pairs that `history` has do not count."""
        width = 1 + max(int(movie_index.max(initial=0)), int(history.movie_index.max(initial=0)))
        pair = distinct(user_index * width + movie_index)
        users = distinct(pair // width)
        unrated = [pair[:0]]
        for some in history.few_at_once(users):
            few = users[some]
            owner, places = history.places_of(few)
            first, end = np.searchsorted(pair, [few[0] * width, (few[-1] + 1) * width])
            unrated.append(np.setdiff1d(pair[first:end], few[owner] * width + history.movie_index[places]))
        pair = np.concatenate(unrated)
        counts = np.bincount(pair // width, minlength=history.num_users)
        offsets = np.concatenate(([0], np.cumsum(counts)))
        offsets = offsets.astype(np.int32 if offsets[-1] < 2**31 else np.int64)
        return cls(offsets, (pair % width).astype(np.int32))

    @property
    def owners(self) -> np.ndarray:
        """The user row of each event, (num_events,)."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    def of_user(self, user_row: int) -> np.ndarray:
        """Rows of the movies of a user's events; none for the unknown user."""
        if user_row >= len(self.offsets) - 1:
            return self.movie_index[:0]
        return self.movie_index[self.offsets[user_row] : self.offsets[user_row + 1]]

    def to_bytes(self) -> bytes:
        """Both arrays as an uncompressed .npz."""
        buffer = io.BytesIO()
        np.savez(buffer, offsets=self.offsets, movie_index=self.movie_index)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> EventHistory:
        """Reads what `to_bytes` wrote; pickled objects are refused."""
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return cls(arrays["offsets"], arrays["movie_index"])


NO_EVENTS = EventHistory(np.zeros(1, dtype=np.int32), np.empty(0, dtype=np.int32))
