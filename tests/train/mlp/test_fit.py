"""Training, on a checkerboard: who likes what is known, so the right answer to a hidden square is known too."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from model.scale import RatingScale
from train.dataset.tensors import Ratings
from train.errors import DivergedError
from train.mlp.config import MLPConfig
from train.mlp.fit import build_network, fit
from train.mlp.unknown import fit_unknown_rows
from train.predict import mean_squared_error, predict
from train.resume import Stages

SCALE = RatingScale(1, 10)
CONFIG = MLPConfig(batch_size=64, learning_rate=1e-2, dropout=0.0, embedding_dropout=0.0)
SIDE = 24


def checkerboard(hidden: bool) -> Ratings:
    """Users like movies of their own parity (9) and dislike the others (2); every fifth square is hidden."""
    users, movies = torch.cartesian_prod(torch.arange(SIDE), torch.arange(SIDE)).T
    rating = torch.where((users + movies) % 2 == 0, 9.0, 2.0)
    chosen = ((users * 7 + movies) % 5 == 0) == hidden
    return Ratings(users, movies, rating).take(chosen)


def test_hidden_squares_of_a_checkerboard_come_out_right() -> None:
    network = build_network(CONFIG, SIDE, SIDE, seed=0)
    log = fit(network, checkerboard(hidden=False), SCALE, CONFIG, seed=0, epochs=60)
    assert log.train_mse[-1] < 0.1 < log.train_mse[0]
    assert mean_squared_error(network, checkerboard(hidden=True), SCALE) < 0.25  # the mean is off by 12


def test_the_same_seed_gives_the_same_losses_and_parameters() -> None:
    runs = []
    for seed in (5, 5, 6):
        config = replace(CONFIG, dropout=0.2)
        network = build_network(config, SIDE, SIDE, seed)
        log = fit(network, checkerboard(hidden=False), SCALE, config, seed=seed, epochs=3)
        runs.append((log.train_mse, network.state_dict()))
    assert runs[0][0] == runs[1][0] != runs[2][0]
    assert all(torch.equal(runs[0][1][name], runs[1][1][name]) for name in runs[0][1])


def test_the_best_epoch_is_kept_and_patience_ends_the_rest() -> None:
    config = replace(CONFIG, patience=2, learning_rate=0.3)
    network = build_network(config, SIDE, SIDE, seed=0)
    watched = checkerboard(hidden=True)
    log = fit(network, checkerboard(hidden=False), SCALE, config, seed=0, epochs=50, watched=watched)
    assert len(log.watched_mse) < 50
    assert log.best_epoch == 1 + log.watched_mse.index(min(log.watched_mse))
    assert len(log.watched_mse) - log.best_epoch == 2
    assert mean_squared_error(network, watched, SCALE) == pytest.approx(min(log.watched_mse), rel=1e-5)


def test_sum_and_mean_are_different_losses() -> None:
    losses = []
    for reduction in ("sum", "mean"):
        config = replace(CONFIG, loss_reduction=reduction, weight_decay=0.1)
        network = build_network(config, SIDE, SIDE, seed=0)
        losses.append(fit(network, checkerboard(hidden=False), SCALE, config, seed=0, epochs=2).train_mse)
    assert losses[0] != losses[1]


def test_averages_of_untouched_rows_fade_to_zero(tmp_path: Path) -> None:
    """Every user has one rating and every step one user, so the averages of the first users fade for 1,500 steps."""
    users = torch.arange(1_500)
    ratings = Ratings(users, torch.zeros_like(users), torch.full((len(users),), 9.0))
    network = build_network(CONFIG, len(users), 1, seed=0)
    fit(network, ratings, SCALE, replace(CONFIG, batch_size=1), seed=0, epochs=1, stages=Stages(tmp_path, "same"))
    [saved] = tmp_path.glob("*.safetensors")
    averages = [value for name, value in load_file(saved).items() if name.endswith(".exp_avg")]
    assert sum(int((value == 0).sum()) for value in averages) > 1_000
    for value in averages:
        assert not ((value != 0) & (value.abs() < torch.finfo(torch.float32).tiny)).any()
    assert float(torch.tensor(1e-38) * 0.1) != 0, "other code has all numbers"


def test_a_diverged_training_says_so() -> None:
    config = replace(CONFIG, learning_rate=1e38)
    with pytest.raises(DivergedError, match=r"--mlp\.learning-rate"):
        fit(build_network(config, SIDE, SIDE, seed=0), checkerboard(hidden=False), SCALE, config, seed=0, epochs=5)


def test_predictions_lie_on_the_scale() -> None:
    rating = predict(build_network(CONFIG, SIDE, SIDE, seed=0), checkerboard(hidden=True), SCALE)
    assert rating.shape == (len(checkerboard(hidden=True)),)
    assert 1 <= float(rating.min()) <= float(rating.max()) <= 10


def test_unknown_rows_answer_like_the_average_user_and_change_nothing_else() -> None:
    """Every user rates movie m the same, so the unknown user's rating of m must be that."""
    users, movies = torch.cartesian_prod(torch.arange(SIDE), torch.arange(SIDE)).T
    ratings = Ratings(users, movies, torch.where(movies % 2 == 0, 9.0, 2.0))
    network = build_network(CONFIG, SIDE, SIDE, seed=0)
    fit(network, ratings, SCALE, CONFIG, seed=0, epochs=20)
    known = predict(network, ratings, SCALE)
    fit_unknown_rows(network, ratings, SCALE, seed=0)
    assert torch.equal(predict(network, ratings, SCALE), known)
    stranger = Ratings(torch.full((SIDE,), SIDE), torch.arange(SIDE), ratings.rating[:SIDE])
    assert mean_squared_error(network, stranger, SCALE) < 1  # the mean is off by 12
