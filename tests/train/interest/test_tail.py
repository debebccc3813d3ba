"""The weights to the tail of a large catalogue: against their definition, in a ranking, and their bounds."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from model.ids import IdMap
from model.interest import Interest
from model.ranking import Ranking, Rated
from train.dataset.tensors import Ratings, TrainingSet
from train.interest.config import InterestConfig
from train.interest.linear import fit_linear
from train.interest.picks import picks_of, weighted_rows
from train.interest.tail import fit_tail

USERS, MOVIES, HEAD = 60, 30, 8
CONFIG = InterestConfig(ridge=2.0, min_raters=1, max_movies=HEAD, level=0, sittings=0)


@pytest.fixture
def ratings() -> Ratings:
    """Users take movies of one of three kinds, of which the first of each are rated most."""
    dice = np.random.default_rng(3)
    chance = np.where(np.arange(USERS)[:, None] % 3 == np.arange(MOVIES) % 3, 0.6, 0.1)
    chance[:, HEAD:] *= 0.5
    user, movie = np.nonzero(dice.random((USERS, MOVIES)) < chance)
    return Ratings(torch.from_numpy(user), torch.from_numpy(movie), torch.full((len(user),), 7.0))


def training_set(ratings: Ratings) -> TrainingSet:
    return TrainingSet(ratings, IdMap(np.arange(USERS)), IdMap(np.arange(MOVIES)))


def fit(ratings: Ratings, config: InterestConfig = CONFIG) -> Interest:
    return fit_linear(training_set(ratings), config)


def dense_tail(interest: Interest) -> np.ndarray:
    """The tail's weights as a matrix (columns, movies)."""
    weights = np.zeros((len(interest.tail_start) - 1, MOVIES))
    column = np.repeat(np.arange(len(weights)), np.diff(interest.tail_start.numpy()))
    weights[column, interest.tail_movie.numpy()] = interest.tail_weight.numpy()
    return weights


def test_tail_with_every_neighbour_solves_the_normal_equations(ratings: Ratings) -> None:
    interest = fit(ratings)
    rows = weighted_rows(picks_of(ratings, 0), MOVIES, CONFIG.user_power, 0).toarray()
    head = np.flatnonzero(interest.column[:MOVIES].numpy() < HEAD)
    tail = np.setdiff1d(np.arange(MOVIES), head)
    together = rows[:, head].T @ rows
    ridge = CONFIG.ridge + CONFIG.dropout / (1 - CONFIG.dropout) * np.diag(together[:, head])
    expected = np.linalg.solve(together[:, head] + np.diag(ridge), together[:, tail])
    expected[together[:, tail] <= 0] = 0  # movies that nobody took together have no tie
    assert dense_tail(interest)[:HEAD, tail] == pytest.approx(expected, abs=1e-5)


def test_interest_in_the_tail_is_the_sum_over_the_history(ratings: Ratings) -> None:
    interest = fit(ratings, replace(CONFIG, prior=0))
    weights = dense_tail(interest)
    column = interest.column.numpy()
    history = Rated(np.array([0, 3, 20]), np.array([7.0, 7.0, 7.0], dtype=np.float32))
    ranking = Ranking(torch.jit.script(interest))  # type: ignore[arg-type]
    found = ranking.interests([history, Rated(history.movie_index[:0], history.ratings[:0]), history])
    tail = column[:MOVIES] == HEAD
    assert found[0, :MOVIES][tail] == pytest.approx(weights[column[history.movie_index]].sum(0)[tail], abs=1e-6)
    assert found[0] == pytest.approx(found[2])
    assert not found[1].any()


def test_shares_of_the_tail_add_up_to_the_interest(ratings: Ratings) -> None:
    interest = fit(ratings, replace(CONFIG, prior=0))
    movies, rated = torch.tensor([0, 3, 20]), torch.tensor([9.0, 7.0, 2.0])
    found = interest(movies, rated, torch.tensor([0, 3]))[0]
    for target in range(MOVIES):
        assert float(interest.shares(movies, rated, target).sum()) == pytest.approx(float(found[target]), abs=1e-6)


def test_movie_of_the_tail_is_ranked_by_taste(ratings: Ratings) -> None:
    interest = fit(ratings)
    tail = np.flatnonzero(interest.column[:MOVIES].numpy() == HEAD)
    history = Rated(np.array([0, 3, 6]), np.full(3, 7, dtype=np.float32))  # the first kind
    [found] = Ranking(interest).interests([history])
    own = tail % 3 == 0
    assert found[tail[own]].mean() > 2 * found[tail[~own]].mean()


def test_number_of_neighbours_bounds_the_weights(ratings: Ratings) -> None:
    weights = dense_tail(fit(ratings, replace(CONFIG, neighbours=2)))
    assert (np.count_nonzero(weights, axis=0) <= 2).all()
    assert np.count_nonzero(weights) > 0
    assert not len(fit(ratings, replace(CONFIG, neighbours=0)).tail_weight)


def test_larger_tail_gets_fewer_neighbours(ratings: Ratings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("train.interest.tail._MOST_WEIGHTS", MOVIES)
    interest = fit(ratings)
    assert 0 < len(interest.tail_weight) <= MOVIES


def test_no_tail_has_no_weights() -> None:
    rows = weighted_rows(picks_of(Ratings(*(torch.zeros(1).long(),) * 2, torch.ones(1)), 0), 1, 0.5, 0)
    assert not len(fit_tail(rows, np.array([0]), np.zeros(0, np.int64), torch.ones(1, 1), torch.ones(1), 4).weight)
