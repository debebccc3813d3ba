"""The two blocks with few factors and with many."""

import pandas as pd
import pytest
import torch

from model.factor_network import FactorNetwork
from model.scale import RatingScale
from train.config import TrainConfig
from train.dataset.tensors import TrainingSet, index_ratings
from train.factors.config import FactorsConfig
from train.factors.method import fit_factors
from train.fit_log import FitLog
from train.method import Choice
from train.predict import mean_squared_error

SCALE = RatingScale(1, 10)


def fit(data: TrainingSet, factors: int) -> FactorNetwork:
    options = FactorsConfig(factors=factors, score_sweeps=8, epochs=4, batch_size=256)
    choice = Choice({"noise": [1e6, 10.0], "sweeps": 6, "factors": factors}, FitLog())
    network = fit_factors(data, SCALE, TrainConfig(factors=options), choice, "test").network
    assert isinstance(network, FactorNetwork)
    return network


@pytest.mark.parametrize("factors", [1, 8, 9, 16, 32])
def test_tastes_are_learnt_with_any_number_of_factors(taste_set: TrainingSet, factors: int) -> None:
    network = fit(taste_set, factors)
    assert network.size == factors + 1
    assert network.user_embedding.weight.shape[1] == 2 * (factors + 1) + 16
    assert mean_squared_error(network, taste_set.ratings, SCALE) < 1.5  # the noise has a variance of 1


def test_with_many_factors_known_users_are_the_encoding_of_their_history(taste_set: TrainingSet) -> None:
    network = fit(taste_set, 32)
    own = taste_set.ratings.user_index == 17
    row = network.encode_user(taste_set.ratings.movie_index[own], taste_set.ratings.rating[own])
    torch.testing.assert_close(row, network.user_embedding.weight[17], atol=1e-4, rtol=1e-4)


def test_both_blocks_with_many_factors_differ(tastes: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    network = fit(index_ratings(*tastes), 16)
    rating, score = network.rating_block.x, network.score_block.x
    assert rating.shape == score.shape
    assert not torch.allclose(rating, score, atol=1e-3)
