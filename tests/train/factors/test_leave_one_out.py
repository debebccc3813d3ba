"""What is taken back in closed form, against a fit without the row."""

import pytest
import torch

from train.factors.config import FactorsConfig
from train.factors.in_memory import cut_ratings, with_users
from train.factors.leave_one_out import leave_one_out
from train.factors.posterior import sort_by_side, tables_of, update_side
from train.factors.sweep import start_state, sweep
from train.factors.variational import Block, bilinear

CONFIG = FactorsConfig()
USERS, MOVIES = 30, 12


@pytest.fixture
def case() -> tuple[Block, torch.Tensor, torch.Tensor, torch.Tensor]:
    """A fitted block whose movies are exactly known, and its rows: user, movie, target."""
    generator = torch.Generator().manual_seed(0)
    user, movie = torch.cartesian_prod(torch.arange(USERS), torch.arange(MOVIES)).T
    kept = torch.rand(len(user), generator=generator) < 0.4
    user, movie = user[kept], movie[kept]
    target = torch.where((user + movie) % 2 == 0, 1.0, -1.0) + 0.3 * torch.randn(len(user), generator=generator)
    data = cut_ratings(user, movie, target, USERS, MOVIES)
    state = start_state(data.sweeps, (16.0, 10.0), 2, CONFIG, 0, None)
    for _ in range(6):
        sweep(state, data.sweeps, CONFIG)
    state.movie.covariance = torch.zeros_like(state.movie.covariance)
    return with_users(state, data), user, movie, target


def test_a_row_is_left_out_as_if_the_user_had_been_fitted_without_it(
    case: tuple[Block, torch.Tensor, torch.Tensor, torch.Tensor],
) -> None:
    block, user, movie, target = case
    score, user_vector, movie_vector = leave_one_out(block, user, movie, target)
    torch.testing.assert_close(movie_vector, block.movie.mean[movie])  # exactly known: one rating tells nothing
    for row in (0, 5, 40, len(user) - 1):
        others = torch.arange(len(user)) != row
        rows = sort_by_side(user[others], movie[others], USERS)
        without, *_ = update_side(rows, target[others][rows.order], block.alpha, tables_of(block.movie), block.user)
        torch.testing.assert_close(user_vector[row], without[user[row]], atol=1e-4, rtol=1e-4)
        expected = bilinear(without[user[row : row + 1]], block.movie.mean[movie[row : row + 1]])[0]
        torch.testing.assert_close(score[row], expected, atol=1e-4, rtol=1e-4)


def test_left_out_rows_look_worse_than_fitted_ones(
    case: tuple[Block, torch.Tensor, torch.Tensor, torch.Tensor],
) -> None:
    block, user, movie, target = case
    fitted = bilinear(block.user.mean[user], block.movie.mean[movie])
    score, *_ = leave_one_out(block, user, movie, target)
    assert (score - target).square().mean() > 1.1 * (fitted - target).square().mean()
