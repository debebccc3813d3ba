"""The default architecture on made-up tastes."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from model.artifact import Artifact
from model.asks import ExplainAnswer, ExplainAsk, PairAnswer, PairAsk
from model.catalogue import Catalogue
from model.factor_network import FactorNetwork
from model.history import History
from model.predictor import Predictor
from model.scale import RatingScale
from train.config import TrainConfig
from train.dataset.tensors import Ratings, TrainingSet, index_ratings
from train.errors import DivergedError
from train.factors.method import choose_factors, fit_factors
from train.fit_log import FitLog
from train.method import Choice, Fitted
from train.predict import mean_squared_error, predict

SCALE = RatingScale(1, 10)
COMEDIES, HORRORS = torch.arange(0, 56, 2), torch.arange(1, 56, 2)


@pytest.fixture
def network(taste_fit: Fitted) -> FactorNetwork:
    assert isinstance(taste_fit.network, FactorNetwork)
    return taste_fit.network


def history_of(data: TrainingSet, user: int) -> tuple[Tensor, Tensor]:
    own = data.ratings.user_index == user
    return data.ratings.movie_index[own], data.ratings.rating[own]


def mean_rating(network: FactorNetwork, row: Tensor, movies: Tensor) -> float:
    return float(SCALE.to_rating(network.head(row.unsqueeze(0), network.movie_tower(movies))).mean())


def test_tastes_are_learnt(network: FactorNetwork, taste_set: TrainingSet) -> None:
    ratings = taste_set.ratings
    assert mean_squared_error(network, ratings, SCALE) < 1.5  # the noise has a variance of 1
    assert float(ratings.rating.var()) > 4


def test_a_known_users_row_is_the_encoding_of_their_history(network: FactorNetwork, taste_set: TrainingSet) -> None:
    for user in (0, 17, 299):
        row = network.encode_user(*history_of(taste_set, user))
        torch.testing.assert_close(row, network.user_embedding.weight[user], atol=1e-5, rtol=1e-5)


def test_the_empty_history_is_the_unknown_user(network: FactorNetwork) -> None:
    nobody = network.encode_user(torch.zeros(0, dtype=torch.int64), torch.zeros(0))
    assert torch.equal(nobody, network.user_embedding.weight[-1])
    assert len(network.user_embedding.weight) == network.num_users + 1


def test_encoding_needs_no_user_table(network: FactorNetwork, taste_set: TrainingSet) -> None:
    history = history_of(taste_set, 5)
    before, table = network.encode_user(*history), network.user_embedding.weight.clone()
    try:
        network.user_embedding.weight.zero_()
        assert torch.equal(network.encode_user(*history), before)
    finally:
        network.user_embedding.weight.copy_(table)


@pytest.mark.parametrize(("liked", "other"), [(COMEDIES, HORRORS), (HORRORS, COMEDIES)], ids=["comedy", "horror"])
def test_a_ten_for_one_genre_raises_that_genre(network: FactorNetwork, liked: Tensor, other: Tensor) -> None:
    nobody = network.user_embedding.weight[-1]
    unseen = liked[5:]
    last = mean_rating(network, nobody, unseen)
    for given in (1, 5):
        row = network.encode_user(liked[:given], torch.full((given,), 10.0))
        now = mean_rating(network, row, unseen)
        assert now > last
        last = now
    gap = last - mean_rating(network, row, other)
    assert gap > 1 + mean_rating(network, nobody, unseen) - mean_rating(network, nobody, other)


def test_movies_nobody_rated_are_rated_by_their_genre(network: FactorNetwork, taste_set: TrainingSet) -> None:
    users = torch.arange(network.num_users)
    numbers = np.arange(56, 60)
    rows = torch.from_numpy(taste_set.movie_ids.rows(1_000 + numbers))
    assert int(rows.max()) < network.num_movies
    unknown = SCALE.to_rating(network(users, torch.full((300,), network.num_movies)))
    ratings = taste_set.ratings
    signed = torch.where(ratings.movie_index % 2 == 0, 1.0, -1.0) * (ratings.rating - ratings.rating.mean())
    comedian = torch.zeros(300).index_add_(0, ratings.user_index, signed) > 0
    for row, number in zip(rows, numbers, strict=True):
        comedy = bool(number % 2 == 0)
        truth = torch.where(comedian == comedy, 7.5, 4.0) + (1.0 if comedy else 0.0)
        error = (SCALE.to_rating(network(users, row.expand(300))) - truth).square().mean()
        assert error < 0.5 * (unknown - truth).square().mean()


def test_without_features_there_are_rows_for_rated_movies_alone(
    tastes: tuple[pd.DataFrame, pd.DataFrame], quick_config: TrainConfig
) -> None:
    data = index_ratings(tastes[0])
    fitted = fit_factors(
        data, SCALE, quick_config, Choice({"noise": [1e6, 10.0], "sweeps": 4, "factors": 3}, FitLog()), "test"
    )
    assert fitted.network.num_movies == len(data.movie_ids) == 56


def test_the_same_seed_gives_the_same_network(taste_set: TrainingSet, quick_config: TrainConfig) -> None:
    states = []
    for seed in (5, 5, 6):
        config = replace(quick_config, seed=seed)
        choice = choose_factors(taste_set, SCALE, config)
        states.append(fit_factors(taste_set, SCALE, config, choice, "test").network.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert not torch.equal(states[0]["user_embedding.weight"], states[2]["user_embedding.weight"])


def test_continuous_ratings_are_binned(quick_config: TrainConfig) -> None:
    user, movie = torch.cartesian_prod(torch.arange(40), torch.arange(20)).T
    rating = torch.where((user + movie) % 2 == 0, 2.0, -2.0) + torch.rand(
        800, generator=torch.Generator().manual_seed(0)
    )
    frame = pd.DataFrame({"user_id": user.numpy(), "movie_id": movie.numpy(), "rating": rating.numpy()})
    data, scale = index_ratings(frame), RatingScale(-2, 3)
    fitted = fit_factors(data, scale, quick_config, choose_factors(data, scale, quick_config), "test")
    assert mean_squared_error(fitted.network, data.ratings, scale) < 0.5


def test_a_handful_of_ratings_is_enough_to_train(quick_config: TrainConfig) -> None:
    frame = pd.DataFrame({"user_id": [1, 2], "movie_id": [3, 3], "rating": [1.0, 10.0]})
    data = index_ratings(frame)
    fitted = fit_factors(data, SCALE, quick_config, choose_factors(data, SCALE, quick_config), "test")
    unknown = Ratings(torch.tensor([2]), torch.tensor([1]), torch.tensor([5.5]))
    assert 1 <= float(predict(fitted.network, unknown, SCALE)) <= 10


def test_a_diverged_training_says_so(taste_set: TrainingSet, quick_config: TrainConfig) -> None:
    broken = replace(taste_set.ratings, rating=taste_set.ratings.rating * torch.inf)
    with pytest.raises(DivergedError, match="diverged"):
        choose_factors(replace(taste_set, ratings=broken), SCALE, quick_config)


def test_a_rating_is_explained(network: FactorNetwork, taste_set: TrainingSet) -> None:
    ratings = taste_set.ratings
    columns = (ratings.user_index.numpy(), ratings.movie_index.numpy(), ratings.rating.numpy())
    history = History.from_ratings(*columns, num_users=network.num_users)
    maps = taste_set.user_ids, taste_set.movie_ids
    artifact = Artifact(network, *maps, SCALE, history, Catalogue({}, network.num_movies))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pair, explained = Predictor(artifact).answer([PairAsk(7, 1_003), ExplainAsk(7, 1_003)])
    assert isinstance(pair, PairAnswer)
    assert isinstance(explained, ExplainAnswer)
    parts = explained.mean + explained.user + explained.movie + explained.interaction
    assert parts == pytest.approx(pair.rating, abs=1e-5)
    assert len(explained.because) == 5
