"""Fits the rows of the unknown user and the unknown movie. The model uses them for ids that training did not have.

The rest of the network does not change. Each row learns to predict the ratings as if their user (movie) were unknown.
All users (movies) have equal weight, whatever their number of ratings: a new user is more like a random user than like
the user of a random rating.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from model.network import EmbeddingMLP
from model.scale import RatingScale
from train.dataset.tensors import Ratings

_MOST_ROWS = 8_192
_STEPS = 60


def fit_unknown_rows(network: EmbeddingMLP, ratings: Ratings, scale: RatingScale, seed: int) -> None:
    """Fits both unknown rows in place, on at most 8,192 of the ratings."""
    network.eval()
    sample = torch.randperm(len(ratings), generator=torch.Generator().manual_seed(seed))[:_MOST_ROWS]
    ratings = ratings.take(sample.to(ratings.rating.device))
    with torch.no_grad():
        for table in (network.user_embedding, network.movie_embedding):
            table.weight[-1] = table.weight[:-1].mean(0)  # the start of the fit, and its result without ratings
        users, movies = network.user_tower(ratings.user_index), network.movie_tower(ratings.movie_index)
    _fit_row(network, network.user_embedding, network.user_linear, movies, ratings.user_index, ratings.rating, scale)
    _fit_row(network, network.movie_embedding, network.movie_linear, users, ratings.movie_index, ratings.rating, scale)


def _fit_row(
    network: EmbeddingMLP,
    table: nn.Embedding,
    linear: nn.Linear,
    other: Tensor,
    index: Tensor,
    rating: Tensor,
    scale: RatingScale,
) -> None:
    """Fits the last row of `table` against the other side's tower outputs (N, W)."""
    weight = 1.0 / torch.bincount(index, minlength=table.num_embeddings)[index]
    row = table.weight[-1].detach().clone().requires_grad_()
    optimizer = torch.optim.Adam([row], lr=0.02)
    for _ in range(_STEPS):
        error = scale.to_rating(network.head(linear(row).unsqueeze(0), other)) - rating
        optimizer.zero_grad()
        ((error.square() * weight).sum() / weight.sum()).backward(inputs=[row])
        optimizer.step()
    with torch.no_grad():
        table.weight[-1] = row
