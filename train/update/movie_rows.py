"""Updates the rows of movies from new ratings, in closed form. It mirrors a user's fold-in (model/fold_in.py).

The old posterior of a movie j is now its prior, N(m_j, C_j). A new movie has the prior of the unknown movie, N(m, C)
with C^-1 = Lambda. The users' posteriors given their ratings are held fixed. The new ratings y_r of users i_r are a
regression on x_r = (1, user factors), as in training (train/factors/posterior.py):

    A = C_j^-1 + sum_r w_r E[x x'],   m_new = A^-1 (C_j^-1 m_j + Lambda p d + sum_r w_r (y_r E[x] - E[x b]))

d is the growth of log(number of ratings). p is the change of a movie's prior mean per unit of that logarithm: movies
with many ratings get higher ratings.

Shapes: N movies, R ratings, K = 1 + factors, T = K (K + 1) / 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from model.factor_network import FactorNetwork
from model.fold_in import FoldIn
from model.moments import moments, triangle
from train.dataset.tensors import Ratings
from train.factors.systems import rows_at_once
from train.update.chunks import Chunk, chunks_of_history, level_counts
from train.update.merge import Merged

_RATINGS = 262_144  # ratings in one step with up to 8 factors, to limit memory
_PASSES = 2


class _Prior(NamedTuple):
    """Precision (N, K, K) and precision times mean (N, K), float64."""

    precision: Tensor
    precision_times_mean: Tensor


def update_movie_rows(network: FactorNetwork, merged: Merged, movies: Tensor) -> None:
    """Updates the rows `movies` (N,), ascending, in place, from the new ratings, all of which are theirs."""
    new, history = merged.new, merged.history
    users = torch.unique(new.user_index)
    counts = level_counts(network.ordinal, history, movies)
    after = counts.sum(1)
    before = after - torch.bincount(torch.searchsorted(movies, new.movie_index), minlength=len(movies))
    growth = (after.clamp_min(1) / before.clamp_min(1)).double().log()
    known = torch.ones(network.num_movies + 1, dtype=torch.bool)
    known[movies] = before > 0  # an unrated movie says nothing about a user
    blocks, vectors = (network.rating_block, network.score_block), []
    for number, block in enumerate(blocks):
        prior = _prior(block, movies, growth)
        for step in range(_PASSES):
            chunks = chunks_of_history(history, users, block.size, None if step else known)
            told = ((rows, _targets(network, part, number)) for rows, part in chunks)
            mean, covariance = _posterior(block, prior, told, _targets(network, new, number), users, movies)
            block.set_movies(movies, mean, covariance)
        vectors.append(mean)
    with torch.no_grad():
        network.movie_embedding.weight[movies] = torch.cat(
            [*vectors, network.ordinal.movie_tower(vectors[1], counts.float())], 1
        )


def _targets(network: FactorNetwork, ratings: Ratings, block: int) -> Ratings:
    """The ratings as targets of the rating block (0) or of the score block (1)."""
    if block:
        target = network.ordinal.score[network.ordinal.level(ratings.rating)]
    else:
        target = (ratings.rating - network.standard[0]) / network.standard[1]
    return Ratings(ratings.user_index, ratings.movie_index, target)


def _prior(block: FoldIn, movies: Tensor, growth: Tensor) -> _Prior:
    unknown = torch.tensor([len(block.x) - 1])
    full = triangle(block.size)[2]
    means, covariances = block.movie_posterior(torch.cat([movies, unknown]))
    spread = covariances.double()[:, full].view(-1, block.size, block.size)
    precision, mean = torch.linalg.inv(spread[:-1]), means[:-1].double()
    shift = torch.linalg.solve(spread[-1], block.popularity.double())
    return _Prior(precision, (precision @ mean.unsqueeze(2)).squeeze(2) + growth.unsqueeze(1) * shift)


def _posterior(
    block: FoldIn, prior: _Prior, told: Iterator[Chunk], new: Ratings, users: Tensor, movies: Tensor
) -> tuple[Tensor, Tensor]:
    """Means (N, K) and covariances (N, T). told: targets that determine the users. new: targets for the movies."""
    x, products, gamma = _user_moments(block, told)
    size, entries = block.size, products.shape[1] - block.size
    sums = torch.zeros(len(movies), entries + size, dtype=torch.float64)
    target_times_x = torch.zeros(len(movies), size, dtype=torch.float64)
    for part in torch.arange(len(new)).split(rows_at_once(_RATINGS, size)):
        rater = torch.searchsorted(users, new.user_index[part])
        owner = torch.searchsorted(movies, new.movie_index[part])
        weight = (block.weight[new.movie_index[part]] * gamma[rater]).unsqueeze(1)
        sums.index_add_(0, owner, (products[rater] * weight).double())
        target_times_x.index_add_(0, owner, (x[rater] * weight * new.rating[part].unsqueeze(1)).double())
    row, column, full = triangle(size)
    precision = prior.precision + sums[:, :entries][:, full].view(-1, size, size)
    right = prior.precision_times_mean + target_times_x - sums[:, entries:]
    covariance = torch.linalg.inv(precision)
    mean = (covariance @ right.unsqueeze(2)).squeeze(2)
    return mean.float(), covariance[:, row, column].float()


def _user_moments(block: FoldIn, told: Iterator[Chunk]) -> tuple[Tensor, Tensor, Tensor]:
    """For all users (U,) of the chunks: E[x] (U, K), E[x x'] and E[x b] in one array (U, T + K), and gamma (U,)."""
    found = [block.posterior(part.user_index, part.movie_index, part.rating, len(rows)) for rows, part in told]
    mean, covariance, gamma = (torch.cat(parts) for parts in zip(*found, strict=True))
    x, outer, cross, _ = moments(mean, covariance)
    return x, torch.cat([outer, cross], 1), gamma
