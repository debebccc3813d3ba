"""What a network says of rows of ratings, whatever its architecture."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from model.scale import RatingScale
from train.dataset.tensors import Ratings

_ROWS_AT_ONCE = 65_536


def predict(network: nn.Module, ratings: Ratings, scale: RatingScale) -> Tensor:
    """Predicted ratings (N,) float32 in rating units, dropout off."""
    network.eval()
    with torch.inference_mode():
        parts = zip(ratings.user_index.split(_ROWS_AT_ONCE), ratings.movie_index.split(_ROWS_AT_ONCE), strict=True)
        return torch.cat([scale.to_rating(network(user, movie)) for user, movie in parts])


def mean_squared_error(network: nn.Module, ratings: Ratings, scale: RatingScale) -> float:
    """Mean squared error in rating units squared, dropout off."""
    return float((predict(network, ratings, scale) - ratings.rating).square().mean(dtype=torch.float64))
