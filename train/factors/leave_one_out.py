"""What a fitted block would predict for each rating if it had not seen that rating, without fitting again.

Let w be a rating's noise precision, C a side's posterior covariance and x the other side's (1, factors). Then
h = w x'C x is the rating's leverage on that side, and Gaussian conditioning removes the rating:

    f_loo = f - (h_u / (1 - h_u) + h_m / (1 - h_m)) (y - f),    u_loo = u - C x w (y - f) / (1 - h_u)

This is exact for one side given the other. The odds add because prior variances do. So a network on top can be trained
on the rows that the block was fitted to, and sees them as it will see new rows.
"""

from __future__ import annotations

import torch
from torch import Tensor

from model.moments import triangle
from train.factors.variational import Block, bilinear

_MOST_LEVERAGE = 0.95


def leave_one_out(
    block: Block, user_index: Tensor, movie_index: Tensor, target: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Predictions (B,) and both sides' vectors, (B, K) each, of rows that the block was fitted to, each left out."""
    weight = block.alpha * block.user.noise_precision[user_index] * block.movie.noise_precision[movie_index]
    user, movie = block.user.mean[user_index], block.movie.mean[movie_index]
    predicted = bilinear(user, movie)
    gap = target - predicted
    user_odds, user_vector = _without(user, block.user.covariance[user_index], movie, weight, gap)
    movie_odds, movie_vector = _without(movie, block.movie.covariance[movie_index], user, weight, gap)
    return predicted - (user_odds + movie_odds) * gap, user_vector, movie_vector


def _without(own: Tensor, covariance: Tensor, other: Tensor, weight: Tensor, gap: Tensor) -> tuple[Tensor, Tensor]:
    """Odds of the leverage (B,) and own vectors (B, K) without the row."""
    size = own.shape[1]
    x = other.clone()
    x[:, 0] = 1.0
    full = covariance[:, triangle(size, own.device)[2]].reshape(-1, size, size)
    direction = torch.bmm(full, x.unsqueeze(2)).squeeze(2)
    leverage = (weight * (direction * x).sum(1)).clamp(max=_MOST_LEVERAGE)
    return leverage / (1 - leverage), own - direction * (weight * gap / (1 - leverage)).unsqueeze(1)
