"""Which held-out movies a ranking should put first, and for whom.

A user counts who has training ratings and at least one relevant movie. A movie can be recommended to a user if it has a
row and the user did not rate it in training. Of several held-out ratings of one movie by one user the last counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from train.dataset.tensors import Ratings


@dataclass(frozen=True)
class Relevance:
    """What movies are worth to U users.

    user: (U,) rows of the users, ascending.
    pair: (N,) int64, ascending: place of the user, times `num_movies`, plus row of the movie.
    gain: (N,) float64, what that movie is worth to that user, above 0.
    """

    user: np.ndarray
    pair: np.ndarray
    gain: np.ndarray
    num_movies: int

    def count(self) -> np.ndarray:
        """The number of each user's relevant movies, (U,)."""
        return np.bincount(self.pair // self.num_movies, minlength=len(self.user))

    def ideal(self, length: int) -> np.ndarray:
        """Each user's highest gains, highest first, (U, length); 0 where there are fewer."""
        place = self.pair // self.num_movies
        order = np.lexsort((-self.gain, place))
        rank = np.arange(len(order)) - np.searchsorted(place, place)
        first = rank < length
        gains = np.zeros((len(self.user), length))
        gains[place[first], rank[first]] = self.gain[order[first]]
        return gains

    def of_lists(self, movie: np.ndarray) -> np.ndarray:
        """What the movies of each user's list are worth: (U, K) rows, or -1, -> (U, K)."""
        wanted = np.arange(len(self.user))[:, None] * self.num_movies + movie
        found = np.searchsorted(self.pair, wanted).clip(max=len(self.pair) - 1)
        known = (self.pair[found] == wanted) & (movie >= 0)
        return np.where(known, self.gain[found], 0.0)


@dataclass(frozen=True)
class RankingTask:
    """The users to rank for, and what movies are worth to them by two measures.

    liked: 1 for each held-out rating at or above the user's mean in training.
    graded: every held-out rating, counted from 1 at the lowest of the scale.
    """

    liked: Relevance
    graded: Relevance

    @property
    def user(self) -> np.ndarray:
        """(U,) rows of the users, ascending."""
        return self.liked.user


def ranking_task(
    train: Ratings, held_out: Ratings, num_users: int, num_movies: int, lowest: float, most_users: int
) -> RankingTask:
    """The task of ranking for at most `most_users` users, who are drawn at random.

    lowest: of the rating scale.
    """
    user = train.user_index.numpy()
    count = np.bincount(user, minlength=num_users)
    mean = np.bincount(user, train.rating.numpy(), num_users) / np.maximum(count, 1)
    pair, rating = _recommendable(train, held_out, count, num_movies)
    owner = pair // num_movies
    liked = rating >= mean[owner]
    users = np.unique(owner[liked])
    if len(users) > most_users:
        users = np.sort(np.random.default_rng(0).choice(users, most_users, replace=False))

    def gains(chosen: np.ndarray, gain: np.ndarray) -> Relevance:
        kept = chosen & np.isin(owner, users)
        place = np.searchsorted(users, owner[kept])
        return Relevance(users, place * num_movies + pair[kept] % num_movies, gain[kept], num_movies)

    return RankingTask(gains(liked, np.ones(len(pair))), gains(np.ones_like(liked), rating - lowest + 1))


def _recommendable(
    train: Ratings, held_out: Ratings, count: np.ndarray, num_movies: int
) -> tuple[np.ndarray, np.ndarray]:
    """The held-out pairs of users with training ratings and movies that they did not rate there, ascending.

    Returns user * num_movies + movie (N,) int64, and the last rating of each (N,) float64.
    """
    user = held_out.user_index.numpy()
    movie = held_out.movie_index.numpy()
    known = np.flatnonzero((user < len(count)) & (movie < num_movies))
    known = known[count[user[known]] > 0][::-1]  # the last comes first, because np.unique keeps the first
    pair, place = np.unique(user[known] * num_movies + movie[known], return_index=True)
    rated = np.sort(train.user_index.numpy() * num_movies + train.movie_index.numpy())
    new = rated[np.searchsorted(rated, pair).clip(max=len(rated) - 1)] != pair
    return pair[new], held_out.rating.numpy()[known[place[new]]].astype(np.float64)
