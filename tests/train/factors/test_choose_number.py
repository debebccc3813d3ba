"""The number of factors on made-up tastes whose number is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from train.dataset.tensors import Ratings
from train.factors.choose_number import Number, choose_number, factors_for
from train.factors.config import FactorsConfig

EQUAL_NOISE = (1e6, 1e6)
SWEEPS = 12


def made_up(tastes: int, users: int = 300, movies: int = 150, rated_share: float = 0.5) -> tuple[Ratings, Tensor]:
    """Ratings of so many equally strong tastes, and a little noise; their standardised targets."""
    random = np.random.default_rng(0)
    user, movie = np.nonzero(random.random((users, movies)) < rated_share)
    products = random.normal(size=(users, tastes))[user] * random.normal(size=(movies, tastes))[movie]
    value = torch.from_numpy((products.sum(1) / tastes**0.5 + 0.2 * random.normal(size=len(user))).astype(np.float32))
    return Ratings(torch.from_numpy(user), torch.from_numpy(movie), value), value / value.std()


def choose(made: tuple[Ratings, Tensor], config: FactorsConfig) -> Number:
    return choose_number(*made, EQUAL_NOISE, SWEEPS, config, 0, None)


@pytest.mark.parametrize(("tastes", "expected"), [(2, 8), (14, 16)])
def test_the_number_fits_the_tastes_of_the_data(tastes: int, expected: int) -> None:
    found = choose(made_up(tastes), FactorsConfig())
    assert (found.factors, found.sweeps) == (expected, SWEEPS)
    assert "with 8, " in found.reason
    assert "of one core, of 60 allowed" in found.reason


def test_more_factors_are_not_tried_where_users_and_movies_have_few_ratings() -> None:
    found = choose(made_up(14, rated_share=0.1), FactorsConfig())
    assert found.factors == 8
    assert found.reason.endswith("ratings on average; more factors are tried from 16 on")


def test_a_given_number_is_taken_without_a_trial() -> None:
    assert choose(made_up(2), FactorsConfig(factors=5)) == Number(5, SWEEPS)


def test_the_budget_of_time_limits_the_number() -> None:
    made = made_up(14)
    found = choose(made, FactorsConfig(seconds_per_million=0.0))
    assert found.factors == 8
    assert "16 were not tried" in found.reason
    assert choose(made, FactorsConfig(seconds_per_million=1e6)).factors == 16


def test_the_same_ratings_give_the_same_number_and_reason() -> None:
    made = made_up(14)
    assert choose(made, FactorsConfig()) == choose(made, FactorsConfig())


def test_movies_of_the_catalogue_without_ratings_change_no_number() -> None:
    ratings, target = made_up(14)
    features = torch.zeros(200, 2)
    assert choose_number(ratings, target, EQUAL_NOISE, SWEEPS, FactorsConfig(), 0, features).factors == 16


def test_more_factors_need_no_more_than_14_sweeps() -> None:
    assert choose_number(*made_up(14), EQUAL_NOISE, 24, FactorsConfig(), 0, None).sweeps == 14
    assert choose_number(*made_up(2), EQUAL_NOISE, 24, FactorsConfig(), 0, None).sweeps == 24


def test_one_rating_is_enough_to_choose() -> None:
    one = Ratings(torch.tensor([0]), torch.tensor([0]), torch.tensor([1.0]))
    assert choose((one, torch.tensor([0.0])), FactorsConfig()).factors == 8


@pytest.mark.parametrize(("share", "expected"), [(1.0, 32), (0.2, 16), (0.05, 8)])
def test_a_fit_to_few_of_the_ratings_has_fewer_factors(share: float, expected: int) -> None:
    ratings, _ = made_up(2)
    some = ratings.take(torch.arange(round(share * len(ratings))) * round(1 / share))
    assert factors_for(some, 32, FactorsConfig()) == expected
    assert factors_for(some, 32, FactorsConfig(factors=32)) == 32
    assert factors_for(some, 8, FactorsConfig()) == 8


def test_a_negative_budget_is_refused() -> None:
    with pytest.raises(ValueError, match=r"seconds-per-million: got -1\.0, allowed: at least 0"):
        replace(FactorsConfig(), seconds_per_million=-1.0)
