"""What is learnt from times with `--split time`: ratings that fall, and users and movies without ratings."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from model.factor_network import FactorNetwork
from model.scale import RatingScale
from train.config import TrainConfig
from train.dataset.tensors import Ratings, TrainingSet, index_ratings, look_up_ratings
from train.factors.drift import popularity_by_time, strangers_of
from train.factors.method import choose_factors, fit_factors
from train.factors.variational import Block
from train.method import Choice
from train.predict import predict

SCALE = RatingScale(1, 10)
LATER = 1_000  # of the ratings, which are the last by time


@pytest.fixture(scope="module")
def by_time(quick_config: TrainConfig) -> TrainConfig:
    return TrainConfig(split="time", factors=quick_config.factors)


@pytest.fixture(scope="module")
def falling(tastes: tuple[pd.DataFrame, pd.DataFrame]) -> pd.DataFrame:
    """The ratings in random order of time, of which every later one is lower: by two from the first to the last."""
    frame = tastes[0].sample(frac=1, random_state=0).reset_index(drop=True)
    rating = (frame["rating"] - np.linspace(0, 2, len(frame))).clip(1, 10)
    return frame.assign(rating=rating.round(), time=np.arange(len(frame), dtype=np.float64))


@pytest.fixture(scope="module")
def earlier(falling: pd.DataFrame, tastes: tuple[pd.DataFrame, pd.DataFrame]) -> TrainingSet:
    return index_ratings(falling[:-LATER], tastes[1])


@pytest.fixture(scope="module")
def choice(earlier: TrainingSet, by_time: TrainConfig) -> Choice:
    torch.set_num_threads(1)
    return choose_factors(earlier, SCALE, by_time)


@pytest.fixture(scope="module")
def network(earlier: TrainingSet, by_time: TrainConfig, choice: Choice) -> FactorNetwork:
    fitted = fit_factors(earlier, SCALE, by_time, choice, "by time").network
    assert isinstance(fitted, FactorNetwork)
    return fitted


def mean_error(network: FactorNetwork, rows: Ratings) -> float:
    """By how much the network rates too high in the mean."""
    return float((predict(network, rows, SCALE) - rows.rating).mean())


def test_ratings_that_fell_are_predicted_to_fall_on(
    falling: pd.DataFrame, earlier: TrainingSet, by_time: TrainConfig, choice: Choice, network: FactorNetwork
) -> None:
    later = look_up_ratings(falling[-LATER:], earlier.user_ids, earlier.movie_ids)
    level = Choice({**choice.settings, "drift": {"rating": 0.0, "tilt": 0.0}}, choice.log)
    without = fit_factors(earlier, SCALE, by_time, level, "by time").network
    assert isinstance(without, FactorNetwork)
    assert choice.settings["drift"]["rating"] < 0 > choice.settings["drift"]["tilt"]
    assert mean_error(without, later) > 0.6
    assert abs(mean_error(network, later)) < 0.8 * mean_error(without, later)


def test_each_part_of_the_network_falls(network: FactorNetwork, choice: Choice) -> None:
    deviation = float(network.standard[1])
    unit = (network.standard[0] - SCALE.minimum) / SCALE.span
    assert float(network.offset - unit) * SCALE.span == pytest.approx(
        choice.settings["drift"]["rating"] * deviation, abs=1e-4
    )


def test_a_movie_without_ratings_is_rated_like_an_average_one(network: FactorNetwork) -> None:
    unrated, k = network.movie_embedding.weight[-1], network.size
    rated = network.movie_embedding.weight[:56]
    assert float(rated[:, 0].min()) < float(unrated[0]) < float(rated[:, 0].max())
    rows = network.movie_embedding.weight[56:60]  # those that stand in the catalogue alone
    torch.testing.assert_close(rows, unrated.expand_as(rows))
    assert len(unrated) > 2 * k


def test_the_average_movie_counts_each_rating_once() -> None:
    side = torch.arange(6.0).view(3, 2)

    class Side:
        mean, link = side, torch.tensor([[5.0, 6.0]])

    block = Block(Side(), Side(), 1.0, (1.0, 1.0))  # type: ignore[arg-type]
    strangers = strangers_of(block, torch.tensor([1, 0, 3]))
    assert strangers.user.tolist() == [5.0, 6.0]
    assert strangers.movie.tolist() == [3.0, 4.0]


def test_the_empty_history_is_the_unknown_user_by_time_too(network: FactorNetwork) -> None:
    nobody = network.encode_user(torch.zeros(0, dtype=torch.int64), torch.zeros(0))
    assert torch.equal(nobody, network.user_embedding.weight[-1])


def test_the_random_split_measures_no_drift(earlier: TrainingSet, quick_config: TrainConfig) -> None:
    assert set(choose_factors(earlier, SCALE, quick_config).settings) == {"noise", "sweeps", "factors"}


def test_a_network_for_the_past_measures_no_drift_by_time_either(earlier: TrainingSet, by_time: TrainConfig) -> None:
    choice = choose_factors(earlier, SCALE, replace(by_time, tune_for="past"))
    assert "drift" not in choice.settings


def test_few_held_out_rows_measure_the_drift_of_a_fifth_of_the_ratings(
    earlier: TrainingSet, by_time: TrainConfig, choice: Choice
) -> None:
    few = choose_factors(earlier, SCALE, replace(by_time, test_size=0.01))
    assert few.settings["drift"] == choice.settings["drift"]


def test_the_number_of_ratings_of_a_new_movie_counts_less_the_newer_it_is() -> None:
    """Movie 0 is rated from the first row on, movie 2 in the last one, movie 1 in between; nobody rates movie 3."""
    movie = torch.tensor([0] * 95 + [1] * 3 + [0, 2])
    ratings = Ratings(torch.zeros(100, dtype=torch.int64), movie, torch.ones(100), torch.arange(100.0))
    found = popularity_by_time(ratings, 4)
    assert found is not None
    own = torch.tensor([96.0, 3.0, 1.0, 1.0]).log()
    average = own[movie].mean()
    assert found[0] == own[0]
    assert own[1] < found[1] < average
    assert found[2:].tolist() == pytest.approx([float(average)] * 2)


def test_ratings_without_times_tell_no_new_movies(taste_set: TrainingSet) -> None:
    assert popularity_by_time(taste_set.ratings, 60) is None


def test_ratings_without_times_have_no_drift(taste_set: TrainingSet, by_time: TrainConfig) -> None:
    assert choose_factors(taste_set, SCALE, by_time).settings["drift"] == {"rating": 0.0, "tilt": 0.0}
