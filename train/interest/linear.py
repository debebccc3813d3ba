"""The weights of the interest part: one linear model from the movies of a history to every movie.

A group g is what one user picked: all of it, and again what they picked in one sitting, which is a day, a week or a
month. With X(g, m) = x, the strength of the pick of m (model/interest.py), 0 where there is none, and each group
weighted by d(g) = s(g) (n(g) / mean n of the users)^-power, W minimises

    sum over g of d(g) |X(g) - X(g) W|^2  +  sum over h of lambda(h) |W(h)|^2,   W(m, m) = 0
    lambda(h) = ridge + dropout / (1 - dropout) G(h, h),   G = X' D X

s(g) is 1 for all of a user's picks, and sittings / 3 for those of a sitting: movies that are taken together say more of
each other. In closed form, with P = (G + diag lambda)^-1, it is W(h, m) = -P(h, m) / P(m, m) (Steck 2019). The second
part of lambda is the penalty that dropout of a history's entries amounts to (Steck 2020, "Autoencoders that don't
overfit towards the identity").
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from model.interest import Interest
from train.dataset.tensors import TrainingSet
from train.interest.config import InterestConfig
from train.interest.picks import picks_of, weighted_rows, with_events


def fit_linear(data: TrainingSet, config: InterestConfig) -> Interest:
    """The interest part of users' ratings and events; its rating weight is still 0."""
    ratings, num_users, num_movies = data.ratings, len(data.user_ids), len(data.movie_ids)
    level = config.level / (float(ratings.rating.std(unbiased=False)) or 1.0)
    picks = picks_of(ratings, level)
    raters = np.bincount(picks.movie, minlength=num_movies)
    if data.events is not None:
        picks = with_events(picks, data.events, config.event)
    takers = np.bincount(picks.movie, minlength=num_movies)
    movies = _movies_with_weights(takers, config)
    some = picks.of_some_users(config.max_ratings)
    rows = weighted_rows(some, num_movies, config.user_power, config.sittings)[:, movies]
    column = np.full(num_movies + 1, len(movies))
    column[movies] = np.arange(len(movies))
    popularity = np.append(raters / max(num_users, 1), 0.0).astype(np.float32)
    return Interest(
        column=torch.from_numpy(column),
        weights=_weights(torch.from_numpy((rows.T @ rows).toarray()), config),
        popularity=torch.from_numpy(popularity),
        level=level,
        prior=config.prior,
        restraint=0.0,
        rating_weight=0.0,
        rating_center=float(ratings.rating.mean()),
    )


def _movies_with_weights(takers: np.ndarray, config: InterestConfig) -> np.ndarray:
    """Rows, ascending, of the movies that the most users took, among those with enough."""
    enough = np.flatnonzero(takers >= config.min_raters)
    order = np.argsort(-takers[enough], kind="stable")
    return np.sort(enough[order[: config.max_movies]])


def _weights(gram: Tensor, config: InterestConfig) -> Tensor:
    """W (C + 1, C + 1) of G (C, C), with a row and a column of zeros for movies without weights."""
    size = len(gram)
    weights = torch.zeros(size + 1, size + 1)
    if size:
        own = gram.diagonal().clone()
        gram.diagonal().add_(config.ridge + config.dropout / (1 - config.dropout) * own)
        inverse = torch.cholesky_inverse(torch.linalg.cholesky(gram))
        weights[:size, :size] = -inverse / inverse.diagonal()
        weights.diagonal().zero_()
    return weights
