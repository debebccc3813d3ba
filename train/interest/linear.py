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

A large catalogue has too many pairs of movies for this. train/interest/neighbours.py has the weights of the rarer ones.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from model.interest import Interest
from model.neighbours import Neighbours, list_pairs, no_neighbours
from train.dataset.tensors import TrainingSet
from train.interest.config import InterestConfig
from train.interest.neighbours import Table, fit_neighbours
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
    table = min(len(movies), config.max_movies)
    some = picks.of_some_users(config.max_ratings)
    rows = weighted_rows(some, num_movies, config.user_power, config.sittings)[:, movies]
    column = np.full(num_movies + 1, table)
    column[movies[:table]] = np.arange(table)
    popularity = np.append(raters / max(num_users, 1), 0.0).astype(np.float32)
    weights, neighbours = _weights(rows, movies, num_movies, config)
    return Interest(
        column=torch.from_numpy(column),
        weights=weights,
        neighbours=neighbours,
        popularity=torch.from_numpy(popularity),
        level=level,
        event=config.event,
        prior=config.prior,
        restraint=0.0,
        rating_weight=0.0,
        rating_center=float(ratings.rating.mean()),
    )


def _movies_with_weights(takers: np.ndarray, config: InterestConfig) -> np.ndarray:
    """Rows of the movies that enough users took: those of the table by row, then the others, the most taken first."""
    enough = np.flatnonzero(takers >= config.min_raters)
    order = enough[np.argsort(-takers[enough], kind="stable")]
    return np.concatenate([np.sort(order[: config.max_movies]), order[config.max_movies :]])


def _weights(
    rows: sparse.csc_matrix, movies: np.ndarray, num_movies: int, config: InterestConfig
) -> tuple[Tensor, Neighbours]:
    """W (C + 1, C + 1) of C movies, with a row and a column of zeros for all others; and the weights of the others."""
    size = min(len(movies), config.max_movies)
    weights = torch.zeros(size + 1, size + 1)
    if not size:
        return weights, no_neighbours(num_movies)
    penalty = config.ridge + config.dropout / (1 - config.dropout) * np.asarray(rows.multiply(rows).sum(0)).ravel()
    gram = torch.from_numpy((rows[:, :size].T @ rows[:, :size]).toarray())
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(gram + torch.from_numpy(penalty[:size]).diag()))
    weights[:size, :size] = -inverse / inverse.diagonal()
    weights.diagonal().zero_()
    if size == len(movies):
        return weights, no_neighbours(num_movies)
    table = Table(gram.numpy(), (1 / inverse.diagonal()).numpy())
    source, target, weight = fit_neighbours(rows, penalty, table, config.neighbours)
    return weights, list_pairs(movies[source], movies[target], weight, num_movies)
