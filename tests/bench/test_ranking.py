"""The parts of the ranking benchmark: EASE^R by its definition, new users as known ones, and what a run keeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from bench.ranking.ease import EASE, fit_ease
from bench.ranking.kept import Kept, Part
from bench.ranking.ours import Ours
from bench.ranking.score import less, mean_of_fits
from bench.ranking.task import rows_of
from model.factor_network import FactorNetwork
from model.scale import RatingScale
from train.config import TrainConfig
from train.dataset.demo import write_demo
from train.dataset.tensors import Ratings, TrainingSet, index_ratings
from train.factors.config import FactorsConfig
from train.factors.method import choose_factors, fit_factors
from train.interest.fit import Blend, fit_interest
from train.readers import load_ratings

NUM_USERS, NUM_MOVIES = 30, 9


@pytest.fixture(scope="module")
def rated() -> Ratings:
    random = np.random.default_rng(0)
    user, movie = np.nonzero(random.random((NUM_USERS, NUM_MOVIES)) < np.linspace(0.6, 0.2, NUM_MOVIES))
    user, movie = np.append(user, user[:3]), np.append(movie, movie[:3])  # three pairs are repeated
    return Ratings(torch.from_numpy(user), torch.from_numpy(movie), torch.ones(len(user)))


def test_ease_has_the_weights_of_its_definition_and_counts_a_repeated_pair_once(rated: Ratings) -> None:
    table = np.zeros((NUM_USERS, NUM_MOVIES))
    table[rated.user_index, rated.movie_index] = 1
    inverse = np.linalg.inv(table.T @ table + 5 * np.eye(NUM_MOVIES))
    weights = -inverse / np.diagonal(inverse)
    np.fill_diagonal(weights, 0)
    ease = fit_ease(rated, NUM_USERS, NUM_MOVIES, ridge=5)
    users = np.array([4, 0, 29])
    assert ease.scores(rated, NUM_USERS)(users)[EASE] == pytest.approx(table[users] @ weights, abs=1e-4)


def test_ease_of_a_new_user_needs_only_their_history(rated: Ratings) -> None:
    ease = fit_ease(rated, NUM_USERS, NUM_MOVIES, ridge=5)
    own = rated.take(rated.user_index == 7)
    new = Ratings(torch.zeros_like(own.user_index), own.movie_index, own.rating)
    assert np.array_equal(ease.scores(new, 1)(np.array([0]))[EASE], ease.scores(rated, NUM_USERS)(np.array([7]))[EASE])


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Ours:
    """A quick fit on the embedded data set."""
    folder = tmp_path_factory.mktemp("data") / "demo"
    write_demo(folder)
    data = load_ratings(folder)
    torch.set_num_threads(1)
    quick = FactorsConfig(probe_sweeps=2, max_sweeps=2, score_sweeps=2, epochs=1)
    config = TrainConfig(factors=quick)
    scale = RatingScale(*data.rating_scale)
    trained: TrainingSet = index_ratings(data.ratings, data.movies)
    network = fit_factors(trained, scale, config, choose_factors(trained, scale, config), "test").network
    return Ours(network, fit_interest(trained, network, scale, config.interest, Blend(0.3, 0.0)), trained, scale)


def test_a_new_user_is_ranked_as_a_known_one_with_the_same_ratings(ours: Ours) -> None:
    ratings = ours.trained.ratings
    known = np.array([5, 900, 31])
    own = torch.isin(ratings.user_index, torch.from_numpy(known))
    renumbered = torch.searchsorted(torch.from_numpy(np.sort(known)), ratings.user_index[own])
    given = Ratings(renumbered, ratings.movie_index[own], ratings.rating[own])
    before = ours.network.state_dict()["user_embedding.weight"].clone()
    new = ours.scores_of_new(given, len(known))(np.arange(len(known)))
    old = ours.scores()(np.sort(known))
    assert list(new) == list(old) == ["blend", "interest", "rating"]
    for name, scores in old.items():
        assert new[name] == pytest.approx(scores, abs=1e-4), name
    assert isinstance(ours.network, FactorNetwork)
    assert torch.equal(ours.network.state_dict()["user_embedding.weight"], before)


def test_rows_measure_a_perfect_ranking_as_one(rated: Ratings) -> None:
    held_out = Ratings(torch.tensor([0, 1]), torch.tensor([8, 8]), torch.ones(2))
    train = rated.take(rated.movie_index != 8)
    rows = rows_of(train, held_out, NUM_USERS, NUM_MOVIES, RatingScale(0, 1))
    [movies] = rows.rank(lambda users: {"eight": np.tile(np.arange(9.0), (len(users), 1))}).values()
    assert rows.measure(movies)["ndcg@10"].tolist() == [1, 1]


def test_a_finished_part_is_not_made_again_but_of_other_data(tmp_path: Path) -> None:
    made = []

    def make() -> Part:
        made.append(1)
        return {"figure": np.array(len(made))}

    kept = Kept("a", tmp_path)
    assert kept.get("part", make)["figure"] == kept.get("part", make)["figure"] == 1
    assert Kept("b", tmp_path).get("part", make)["figure"] == 2
    kept.clear()
    assert kept.get("part", make)["figure"] == 3


def test_differences_are_paired_and_fits_are_averaged_user_by_user() -> None:
    random = np.random.default_rng(0)
    this = random.random(500)
    interval = less(this + 0.1, this)
    assert interval.mean == pytest.approx(0.1)
    assert interval.low == pytest.approx(interval.high)
    fits = [
        {name: np.full(3, value) for name in ("ndcg@10", "recall@10", "hit_rate@10", "coverage@10")} for value in (1, 3)
    ]
    assert mean_of_fits(fits)["ndcg@10"].tolist() == [2, 2, 2]
