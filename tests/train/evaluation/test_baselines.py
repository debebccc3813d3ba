import numpy as np
import pytest

import train.evaluation.baselines
from train.evaluation.baselines import MOVIE_SHRINKAGE, USER_SHRINKAGE, fit_baselines


def test_the_means_are_means() -> None:
    users, movies, ratings = np.array([0, 0, 1]), np.array([0, 1, 1]), np.array([2.0, 5.0, 8.0])
    models = fit_baselines(users, movies, ratings, num_users=2, num_movies=3)
    everywhere = (np.array([0, 2, 0]), np.array([0, 1, 3]))  # the last of each is unknown
    assert models["global_mean"].predict(*everywhere).tolist() == [5, 5, 5]
    assert models["movie_mean"].predict(*everywhere).tolist() == [2, 6.5, 5]


def test_the_shrunken_biases_solve_their_equations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train.evaluation.baselines, "SWEEPS", 100)
    random = np.random.default_rng(0)
    users, movies = random.integers(0, 20, 400), random.integers(0, 9, 400)
    ratings = random.normal(3, 1, 400) + users / 10
    model = fit_baselines(users, movies, ratings, 20, 9)["shrunken_bias"]
    residual = ratings - model.predict(users, movies)
    for rows, bias, shrinkage in (
        (users, model.user_bias, USER_SHRINKAGE),
        (movies, model.movie_bias, MOVIE_SHRINKAGE),
    ):
        sums = np.bincount(rows, weights=residual, minlength=len(bias))
        assert sums == pytest.approx(shrinkage * bias, abs=1e-4)
    assert model.user_bias[20] == model.movie_bias[9] == 0
