"""How probable the network holds each rating level of each held-out row, for the report's calibration."""

from __future__ import annotations

import torch

from model.factor_network import FactorNetwork
from model.network import RatingNetwork
from model.scale import RatingScale
from train.dataset.tensors import Ratings
from train.method import LevelPredictions

_ROWS_AT_ONCE = 65_536


def predict_levels(network: RatingNetwork, ratings: Ratings, scale: RatingScale) -> LevelPredictions:
    """The levels' values (L,), their edges, and their probabilities, (N, L) float16."""
    assert isinstance(network, FactorNetwork)
    network.eval()
    parts = []
    with torch.inference_mode():
        for rows in torch.arange(len(ratings)).split(_ROWS_AT_ONCE):
            user = network.user_tower(ratings.user_index[rows])
            movie = network.movie_tower(ratings.movie_index[rows])
            parts.append(network.level_probabilities(user, movie).half())
    value = scale.to_rating(network.ordinal.unit).numpy()
    return LevelPredictions(value, network.ordinal.edges.numpy(), torch.cat(parts).numpy())
