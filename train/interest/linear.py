"""The weights of the interest part: one linear model from the movies of a history to every movie.

With X(u, m) = x, the strength of u's rating of m, and 0 where there is none (model/interest.py), each user weighted by
d(u) = (n(u) / mean n)^-power, W minimises

    sum over u of d(u) |X(u) - X(u) W|^2  +  sum over h of lambda(h) |W(h)|^2,   W(m, m) = 0
    lambda(h) = ridge + dropout / (1 - dropout) G(h, h),   G = X' D X

In closed form, with P = (G + diag lambda)^-1, it is W(h, m) = -P(h, m) / P(m, m) (Steck 2019). The second part of
lambda is the penalty that dropout of a history's entries amounts to (Steck 2020, "Autoencoders that don't overfit
towards the identity").
"""

from __future__ import annotations

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from model.history import History
from model.interest import Interest
from train.interest.config import InterestConfig


def fit_linear(history: History, num_movies: int, config: InterestConfig) -> Interest:
    """The interest part of users' ratings, each movie at most once a user; its rating weight is still 0."""
    raters = np.bincount(history.movie_index, minlength=num_movies)
    movies = _movies_with_weights(raters, config)
    spread = float(history.ratings.std()) or 1.0
    level = config.level / spread
    gram = _gram(_of_some_users(history, config.max_ratings), movies, num_movies, level, config.user_power)
    column = np.full(num_movies + 1, len(movies))
    column[movies] = np.arange(len(movies))
    popularity = np.append(raters / max(history.num_users, 1), 0.0).astype(np.float32)
    return Interest(
        column=torch.from_numpy(column),
        weights=_weights(torch.from_numpy(gram), config),
        popularity=torch.from_numpy(popularity),
        level=level,
        prior=config.prior,
        restraint=0.0,
        rating_weight=0.0,
        rating_center=float(history.ratings.mean()),
    )


def _movies_with_weights(raters: np.ndarray, config: InterestConfig) -> np.ndarray:
    """Rows, ascending, of the movies with the most raters among those with enough."""
    enough = np.flatnonzero(raters >= config.min_raters)
    order = np.argsort(-raters[enough], kind="stable")
    return np.sort(enough[order[: config.max_movies]])


def _of_some_users(history: History, most: int) -> History:
    """About `most` of the ratings, those of evenly spaced users."""
    step = -(-len(history.movie_index) // most)
    return history if step <= 1 else history.take(np.arange(0, history.num_users, step))


def _gram(history: History, movies: np.ndarray, num_movies: int, level: float, power: float) -> np.ndarray:
    """X' D X (C, C) float32 of the C `movies`."""
    number = np.diff(history.offsets)
    owner = np.repeat(np.arange(len(number)), number)
    sums = np.bincount(owner, history.ratings, minlength=len(number))
    mean = sums / np.maximum(number, 1)
    strength = 1 + level * (history.ratings - mean[owner])
    weight = (np.maximum(number, 1) / max(number.mean(), 1e-9)) ** -power
    scaled = (strength * np.sqrt(weight)[owner]).astype(np.float32)
    rows = sparse.csr_matrix((scaled, history.movie_index, history.offsets), shape=(len(number), num_movies))
    columns = rows.tocsc()[:, movies]
    gram: np.ndarray = (columns.T @ columns).toarray()
    return gram


def _weights(gram: Tensor, config: InterestConfig) -> Tensor:
    """W (C + 1, C + 1), with a row and a column of zeros for movies without weights."""
    size = len(gram)
    weights = torch.zeros(size + 1, size + 1)
    if size:
        own = gram.diagonal().clone()
        gram.diagonal().add_(config.ridge + config.dropout / (1 - config.dropout) * own)
        inverse = torch.cholesky_inverse(torch.linalg.cholesky(gram))
        weights[:size, :size] = -inverse / inverse.diagonal()
        weights.diagonal().zero_()
    return weights
