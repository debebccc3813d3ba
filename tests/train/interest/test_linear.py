"""The weights against their definition, and whom they leave out."""

from dataclasses import replace

import numpy as np
import pytest

from model.history import History
from train.interest.config import InterestConfig
from train.interest.linear import fit_linear

CONFIG = InterestConfig(ridge=2.0, min_raters=1)


@pytest.fixture
def history() -> History:
    """40 users with up to 12 of 12 movies each."""
    dice = np.random.default_rng(5)
    user, movie = np.nonzero(dice.random((40, 12)) < dice.random((40, 1)))
    return History.from_ratings(user, movie, dice.integers(1, 11, len(user)).astype(np.float32), 40)


def strengths(history: History, level: float) -> np.ndarray:
    """X as a dense matrix, row by row from its definition."""
    rows = np.zeros((history.num_users, 12))
    for user in range(history.num_users):
        movies, ratings = history.of_user(user)
        if len(ratings):
            rows[user, movies] = 1 + level / history.ratings.std() * (ratings - ratings.mean())
    return rows


def loss(weights: np.ndarray, history: History, config: InterestConfig) -> float:
    """What the weights are to minimise."""
    rows = strengths(history, config.level)
    number = np.diff(history.offsets)
    users = (np.maximum(number, 1) / number.mean()) ** -config.user_power
    gram = rows.T @ (users[:, None] * rows)
    ridge = config.ridge + config.dropout / (1 - config.dropout) * np.diag(gram)
    error = users[:, None] * (rows - rows @ weights) ** 2
    return float(error.sum() + (ridge[:, None] * weights**2).sum())


def test_no_change_of_the_weights_lowers_the_loss(history: History) -> None:
    weights = fit_linear(history, 12, CONFIG).weights[:12, :12].numpy().astype(np.float64)
    least = loss(weights, history, CONFIG)
    dice = np.random.default_rng(1)
    for _ in range(200):
        change = dice.standard_normal((12, 12)) * 1e-3
        np.fill_diagonal(change, 0)
        assert loss(weights + change, history, CONFIG) > least


def test_no_movie_speaks_for_itself(history: History) -> None:
    assert fit_linear(history, 12, CONFIG).weights.diagonal().tolist() == [0.0] * 13


def test_movies_with_few_raters_have_no_weights(history: History) -> None:
    raters = np.bincount(history.movie_index, minlength=12)
    least = int(np.sort(raters)[4])
    interest = fit_linear(history, 12, replace(CONFIG, min_raters=least))
    number = int((raters >= least).sum())
    assert interest.weights.shape == (number + 1, number + 1)
    assert ((interest.column[:12] < number).numpy() == (raters >= least)).all()
    assert interest.column[12] == number
    assert not interest.weights[number].any()
    assert not interest.weights[:, number].any()


def test_only_the_most_rated_movies_have_weights(history: History) -> None:
    raters = np.bincount(history.movie_index, minlength=12)
    covered = fit_linear(history, 12, replace(CONFIG, max_movies=3)).column[:12].numpy() < 3
    assert covered.sum() == 3
    assert raters[covered].min() >= raters[~covered].max()


def test_popularity_is_the_share_of_users_who_rated(history: History) -> None:
    popularity = fit_linear(history, 12, CONFIG).popularity
    assert popularity[:12].numpy() == pytest.approx(np.bincount(history.movie_index, minlength=12) / 40)
    assert popularity[12] == 0


def test_large_data_is_fitted_on_evenly_spaced_users(history: History) -> None:
    config = replace(CONFIG, level=0)
    few = fit_linear(history, 12, replace(config, max_ratings=len(history.ratings) // 2 + 1))
    half = fit_linear(history.take(np.arange(0, 40, 2)), 12, config)
    assert few.weights.numpy() == pytest.approx(half.weights.numpy(), abs=1e-6)


def test_ratings_that_are_all_alike_give_finite_weights(history: History) -> None:
    alike = History(history.offsets, history.movie_index, np.full_like(history.ratings, 3))
    assert np.isfinite(fit_linear(alike, 12, CONFIG).weights.numpy()).all()
