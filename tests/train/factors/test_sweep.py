"""A fused sweep against the updates that it is made of, in one part and in many."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from model.ids import IdMap
from train.dataset.tensors import Ratings, TrainingSet
from train.factors import in_memory
from train.factors.alike import alike_users
from train.factors.config import FactorsConfig
from train.factors.in_memory import RatingsInParts, cut_ratings, sweep_and_predict, with_users
from train.factors.posterior import Side, sort_by_side, tables_of, update_side
from train.factors.prior import noise_precision, update_prior
from train.factors.sweep import BlockState, movie_ends, start_state, sweep
from train.factors.variational import bilinear
from train.parts.group import Group
from train.parts.tree import Tree

CONFIG = FactorsConfig(factors=3)
SWEEPS = 4


@pytest.fixture(scope="module")
def mixed_set(taste_set: TrainingSet) -> TrainingSet:
    """The tastes, 200 users with one rating each, of whom many are alike, and three users without ratings."""
    rated, first, number = taste_set.ratings, len(taste_set.user_ids), torch.arange(200)
    ratings = Ratings(
        torch.cat([first + number, rated.user_index]),
        torch.cat([number % 4, rated.movie_index]),
        torch.cat([number % 3 + 5.0, rated.rating]),
    )
    return replace(taste_set, ratings=ratings, user_ids=IdMap(np.arange(first + 203)))


def standardised(data: TrainingSet) -> Tensor:
    rating = data.ratings.rating
    return (rating - rating.mean()) / rating.std()


def in_parts(data: TrainingSet, parts: int, monkeypatch: pytest.MonkeyPatch) -> RatingsInParts:
    ratings, numbers = data.ratings, (len(data.user_ids), len(data.movie_ids))
    alike = alike_users(ratings.user_index, ratings.movie_index, ratings.rating, numbers[0])
    kept = int(torch.isin(ratings.user_index, alike.first).sum())
    monkeypatch.setattr(in_memory, "_PART_RATINGS", 1 + kept // parts)
    monkeypatch.setattr(in_memory, "_RATINGS_PER_MOVIE", 0)
    found = cut_ratings(ratings.user_index, ratings.movie_index, standardised(data), *numbers)
    assert len(found.sweeps.parts) == parts
    return found


def by_both_sides(data: TrainingSet, state: BlockState) -> tuple[Side, Side, float]:
    """The same sweeps with all users and all movies at once: users given movies, then movies given users."""
    ratings, target = data.ratings, standardised(data)
    by_user = sort_by_side(ratings.user_index, ratings.movie_index, len(data.user_ids))
    by_movie = sort_by_side(ratings.movie_index, ratings.user_index, len(data.movie_ids))
    movie, alpha = state.movie, state.alpha
    num, size = len(data.user_ids), state.link.shape[1]
    nothing = torch.zeros(num, size), torch.zeros(num, 1)
    user = Side(*nothing, state.precision, torch.ones(num, 1), state.link, torch.ones(num))
    user_shape, movie_shape = state.noise_shapes
    for number in range(SWEEPS):
        user.mean, user.covariance, error = update_side(by_user, target[by_user.order], alpha, tables_of(movie), user)
        user.noise_precision = noise_precision(user_shape, by_user.count, error / user.noise_precision)
        if number:
            update_prior(user, by_user.count, CONFIG)
        movie.mean, movie.covariance, error = update_side(
            by_movie, target[by_movie.order], alpha, tables_of(user), movie
        )
        relative = error / movie.noise_precision
        movie.noise_precision = noise_precision(movie_shape, by_movie.count, relative)
        update_prior(movie, by_movie.count, CONFIG)
        alpha *= len(target) / float((relative * movie.noise_precision).sum())
    return user, movie, alpha


@pytest.mark.parametrize("parts", [1, 7])
@pytest.mark.parametrize("noise_shapes", [(16.0, 1e6), (1e6, 10.0)])
def test_sweeps_equal_updates_of_both_sides(
    mixed_set: TrainingSet, parts: int, noise_shapes: tuple[float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = in_parts(mixed_set, parts, monkeypatch)
    state, other = (start_state(data.sweeps, noise_shapes, 3, CONFIG, 0, mixed_set.features) for _ in range(2))
    for _ in range(SWEEPS - 1):
        sweep(state, data.sweeps, CONFIG)
    predicted = sweep_and_predict(state, data, CONFIG, mixed_set.ratings)
    user, movie, alpha = by_both_sides(mixed_set, other)
    assert state.alpha == pytest.approx(alpha, rel=1e-4)
    torch.testing.assert_close(state.movie.mean, movie.mean, atol=2e-4, rtol=1e-3)
    torch.testing.assert_close(state.movie.covariance, movie.covariance, atol=2e-5, rtol=1e-3)
    torch.testing.assert_close(state.movie.noise_precision, movie.noise_precision, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(data.of_all(state.noise), user.noise_precision, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(state.precision, user.precision, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(state.link, user.link, atol=1e-4, rtol=1e-3)
    expected = bilinear(user.mean[mixed_set.ratings.user_index], movie.mean[mixed_set.ratings.movie_index])
    torch.testing.assert_close(predicted, expected, atol=1e-3, rtol=1e-3)


def test_a_block_in_parts_has_all_users_in_their_order(mixed_set: TrainingSet, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = []
    for parts in (1, 7):
        data = in_parts(mixed_set, parts, monkeypatch)
        state = start_state(data.sweeps, (16.0, 1e6), 3, CONFIG, 0, None)
        sweep(state, data.sweeps, CONFIG)
        blocks.append(with_users(state, data))
    torch.testing.assert_close(blocks[0].user.mean, blocks[1].user.mean, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(blocks[0].user.covariance, blocks[1].user.covariance, atol=1e-4, rtol=1e-3)


def test_a_tree_sum_does_not_depend_on_the_order_of_its_parts() -> None:
    values = [torch.randn(5, 3) * 10.0**power for power in range(8)]
    sums = []
    for order in ([0, 1, 2, 3, 4, 5, 6, 7], [7, 0, 6, 1, 5, 2, 4, 3]):
        tree = Tree(Group(), 8).new_sum()
        for part in order:
            tree.add(part, values[part].clone())
        sums.append(tree.total())
    assert torch.equal(*sums)


@pytest.mark.parametrize(("movies", "world"), [(1, 4), (1024, 2), (5_000, 3)])
def test_processes_share_movies_in_whole_blocks(movies: int, world: int) -> None:
    ends = movie_ends(movies, world)
    assert (ends[0], ends[-1], len(ends)) == (0, movies, world + 1)
    assert ends == sorted(ends)
    assert all(end % 1024 == 0 for end in ends[:-1])
