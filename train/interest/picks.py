"""What people took, pair by pair: the rows that the interest part is fitted on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from train.dataset.tensors import Events, Ratings

_DAY_S = 86_400
# What lies within one of these spans was taken in one sitting.
_SPANS_S = (_DAY_S, 7 * _DAY_S, 30 * _DAY_S)


@dataclass(frozen=True)
class Picks:
    """P different pairs of a user and a movie.

    user, movie: (P,) int64 rows. strength: (P,) float64, how much the pick says; 1 for an average rating.
    time: (P,) float64, seconds since 1970; None where not every pick has one.
    """

    user: np.ndarray
    movie: np.ndarray
    strength: np.ndarray
    time: np.ndarray | None

    def of_some_users(self, most: int) -> Picks:
        """About `most` of the picks, those of evenly spaced users."""
        step = -(-len(self.user) // most)
        if step <= 1:
            return self
        kept = self.user % step == 0
        time = None if self.time is None else self.time[kept]
        return Picks(self.user[kept], self.movie[kept], self.strength[kept], time)


def picks_of(ratings: Ratings, level: float) -> Picks:
    """The last rating of each pair; its strength is 1 + level (rating - the user's mean rating)."""
    user, movie = ratings.user_index.numpy(), ratings.movie_index.numpy()
    last = last_of_pairs(user, movie)
    user, movie, rating = user[last], movie[last], ratings.rating.numpy()[last].astype(np.float64)
    mean = np.bincount(user, rating) / np.maximum(np.bincount(user), 1)
    time = None if ratings.time is None else ratings.time.numpy()[last]
    return Picks(user, movie, 1 + level * (rating - mean[user]), time)


def with_events(picks: Picks, events: Events, strength: float) -> Picks:
    """Picks of ratings and, where a user did not rate the movie, of the last event of each pair."""
    user = np.concatenate([events.user_index.numpy(), picks.user])
    movie = np.concatenate([events.movie_index.numpy(), picks.movie])
    strengths = np.concatenate([np.full(len(events.user_index), strength), picks.strength])
    last = last_of_pairs(user, movie)
    time = None
    if events.time is not None and picks.time is not None:
        time = np.concatenate([events.time.numpy(), picks.time])[last]
    return Picks(user[last], movie[last], strengths[last], time)


def last_of_pairs(user: np.ndarray, movie: np.ndarray) -> np.ndarray:
    """Places of the last occurrence of each pair of rows (N,), by user and movie."""
    pair = user * (int(movie.max(initial=0)) + 1) + movie
    _, place = np.unique(pair[::-1], return_index=True)
    last: np.ndarray = len(pair) - 1 - place
    return last


def weighted_rows(picks: Picks, num_movies: int, power: float, sittings: float | None) -> sparse.csc_matrix:
    """sqrt(D) X of train/interest/linear.py: (groups, num_movies) float32."""
    groups = [(picks.user, 1.0)]
    if picks.time is not None and sittings:
        groups += [(_sitting(picks.user, picks.time, span), sittings / len(_SPANS_S)) for span in _SPANS_S]
    mean = len(picks.user) / max(len(np.unique(picks.user)), 1)
    rows = []
    for group, share in groups:
        weight = share * (np.bincount(group)[group] / mean) ** -power
        scaled = (picks.strength * np.sqrt(weight)).astype(np.float32)
        shape = (int(group.max(initial=0)) + 1, num_movies)
        rows.append(sparse.csr_matrix((scaled, (group, picks.movie)), shape=shape))
    return sparse.vstack(rows, format="csc")


def _sitting(user: np.ndarray, time: np.ndarray, span_s: float) -> np.ndarray:
    """The number of each pick's sitting (P,): one user's picks of the same span of time."""
    span = ((time - time.min()) // span_s).astype(np.int64)
    _, number = np.unique(user * (int(span.max()) + 1) + span, return_inverse=True)
    return number.reshape(-1)
