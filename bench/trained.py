"""A model trained with all defaults, and its predictions of held-out ratings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from model.network import RatingNetwork
from model.scale import RatingScale
from train.config import TrainConfig
from train.dataset.data import RatingsData
from train.dataset.tensors import TrainingSet, index_ratings, look_up_ratings
from train.factors.method import choose_factors, fit_factors
from train.predict import predict


def train_default(data: RatingsData, frame: pd.DataFrame, seed: int = 0) -> tuple[RatingNetwork, TrainingSet]:
    """A network of the default preset that is fitted to the rows `frame` of the data, on one thread."""
    torch.set_num_threads(1)
    config = TrainConfig(seed=seed)
    scale = RatingScale(*data.rating_scale)
    trained = index_ratings(frame, data.movies)
    choice = choose_factors(trained, scale, config)
    return fit_factors(trained, scale, config, choice, "train").network, trained


def predict_rows(network: RatingNetwork, trained: TrainingSet, frame: pd.DataFrame, scale: RatingScale) -> np.ndarray:
    """Predicted ratings (len(frame),) float64; an id that training did not see counts as unknown."""
    rows = look_up_ratings(frame, trained.user_ids, trained.movie_ids)
    return predict(network, rows, scale).numpy().astype(np.float64)
