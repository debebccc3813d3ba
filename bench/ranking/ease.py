"""EASE^R (Steck 2019) in numpy: a linear item-to-item model, and a strong baseline on small catalogues.

With X(u, m) = 1 where u rated m, and P = (X'X + ridge I)^-1, the weights are B(h, m) = -P(h, m) / P(m, m), B(m, m) = 0,
and the scores are X B. To save time, a movie that only one user rated has no weights and comes last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse

from train.dataset.tensors import Ratings
from train.evaluation.ranking_scores import Scores

RIDGES = (30.0, 100.0, 300.0, 1_000.0)
EASE = "ease"
_FEWEST_RATERS = 2


@dataclass(frozen=True)
class Ease:
    """Weights (C, C) float32 of the C `movies`."""

    movies: np.ndarray
    weights: np.ndarray
    num_movies: int

    def scores(self, history: Ratings, num_users: int) -> Scores:
        """`ease`, for users with these ratings, in training or later."""
        rated = rated_matrix(history, num_users, self.num_movies)[:, self.movies]

        def score(users: np.ndarray) -> Mapping[str, np.ndarray]:
            scores = np.full((len(users), self.num_movies), -1e6, dtype=np.float32)
            scores[:, self.movies] = rated[users] @ self.weights
            return {EASE: scores}

        return score


def fit_ease(train: Ratings, num_users: int, num_movies: int, ridge: float) -> Ease:
    """Fits the weights to these ratings. It uses only which movies were rated, not the values."""
    rated = rated_matrix(train, num_users, num_movies)
    raters = np.bincount(rated.indices, minlength=num_movies)
    movies = np.flatnonzero(raters >= _FEWEST_RATERS)
    gram = torch.from_numpy((rated[:, movies].T @ rated[:, movies]).toarray())
    gram.diagonal().add_(ridge)
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(gram)).numpy()
    weights = -inverse / np.diagonal(inverse)
    np.fill_diagonal(weights, 0.0)
    return Ease(movies, weights, num_movies)


def rated_matrix(ratings: Ratings, num_users: int, num_movies: int) -> sparse.csr_matrix:
    """(num_users, num_movies) float32, 1 where the user rated the movie."""
    pairs = np.unique(ratings.user_index.numpy() * num_movies + ratings.movie_index.numpy())
    ones = np.ones(len(pairs), dtype=np.float32)
    return sparse.csr_matrix((ones, (pairs // num_movies, pairs % num_movies)), (num_users, num_movies))
