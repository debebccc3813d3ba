"""What a network must beat: predictions without any learned taste.

    global mean    r(u, m) = mu
    movie mean     r(u, m) = mu + b_m
    shrunken bias  r(u, m) = mu + b_u + b_m

The biases minimise squared error + k_u * sum(b_u^2) + k_m * sum(b_m^2) by alternating between the two closed forms
b_m = sum(r - mu - b_u) / (k_m + n_m) and b_u = sum(r - mu - b_m) / (k_u + n_u) (Koren 2010, "Factor in the neighbors",
section 2.1; the constants do well on sparse ratings). Users and movies without ratings have a bias of 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

USER_SHRINKAGE = 2.5
MOVIE_SHRINKAGE = 5.0
SWEEPS = 10


@dataclass(frozen=True)
class BiasModel:
    """mu + b_u + b_m; the rows one past the last are the unknown ones, with a bias of 0."""

    mean: float
    user_bias: np.ndarray
    movie_bias: np.ndarray

    def predict(self, user_index: np.ndarray, movie_index: np.ndarray) -> np.ndarray:
        """Ratings (B,) of pairs of rows, in rating units, not clipped."""
        predicted: np.ndarray = self.mean + self.user_bias[user_index] + self.movie_bias[movie_index]
        return predicted


def fit_baselines(
    user_index: np.ndarray, movie_index: np.ndarray, ratings: np.ndarray, num_users: int, num_movies: int
) -> dict[str, BiasModel]:
    """The three baselines by name, fitted on ratings (num_ratings,) in rating units."""
    mean = float(ratings.mean())
    residual = ratings - mean
    movie_mean = shrunken_mean(movie_index, residual, num_movies, 0.0)
    user_bias = np.zeros(num_users + 1)
    for _ in range(SWEEPS):
        movie_bias = shrunken_mean(movie_index, residual - user_bias[user_index], num_movies, MOVIE_SHRINKAGE)
        user_bias = shrunken_mean(user_index, residual - movie_bias[movie_index], num_users, USER_SHRINKAGE)
    no_user, no_movie = np.zeros(num_users + 1), np.zeros(num_movies + 1)
    return {
        "global_mean": BiasModel(mean, no_user, no_movie),
        "movie_mean": BiasModel(mean, no_user, movie_mean),
        "shrunken_bias": BiasModel(mean, user_bias, movie_bias),
    }


def shrunken_mean(rows: np.ndarray, values: np.ndarray, num_rows: int, shrinkage: float) -> np.ndarray:
    """Per row the sum of its values over (shrinkage + their number), (num_rows + 1,); 0 where there are none."""
    counts = np.bincount(rows, minlength=num_rows + 1)
    sums = np.bincount(rows, weights=values, minlength=num_rows + 1)
    means: np.ndarray = sums / np.maximum(counts + shrinkage, 1e-12)
    return means
