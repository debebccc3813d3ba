"""A fused sweep is today's sweep, up to the order of sums."""

import numpy as np
import pytest
import torch

from train.dataset.tensors import TrainingSet
from train.factors.config import FactorsConfig
from train.factors.variational import sort_both, start_block, sweep_block
from train.parts.group import Group
from train.parts.rows import FitRows, fit_rows
from train.parts.sweep import Job, item_ends, start_state, sweep
from train.parts.tree import TreeSum
from train.prepared.folder import Rows
from train.prepared.hashes import id_hashes, part_of

CONFIG = FactorsConfig(factors=3)


def parts_of(data: TrainingSet, parts: int) -> list[FitRows]:
    user, item, rating = (
        one.numpy() for one in (data.ratings.user_index, data.ratings.movie_index, data.ratings.rating)
    )
    part = part_of(id_hashes(data.user_ids.ids), parts)
    found = []
    for number in range(parts):
        users = np.flatnonzero(part == number)
        mine = np.flatnonzero(part[user] == number)
        order = mine[np.lexsort((rating[mine], item[mine], user[mine]))]
        start = np.append(0, np.cumsum(np.bincount(user[mine], minlength=len(part))[users]))
        rows = Rows(users, start, item[order].astype(np.int32), rating[order], None)
        found.append(fit_rows(number, rows, np.ones(len(order), dtype=np.bool_)))
    return found


@pytest.mark.parametrize("parts", [1, 8])
@pytest.mark.parametrize("noise_shapes", [(16.0, 1e6), (1e6, 10.0)])
def test_sweeps_equal_those_without_parts(
    taste_set: TrainingSet, parts: int, noise_shapes: tuple[float, float]
) -> None:
    ratings = taste_set.ratings
    target = (ratings.rating - ratings.rating.mean()) / ratings.rating.std()
    data = sort_both(ratings.user_index, ratings.movie_index, target, len(taste_set.user_ids), len(taste_set.movie_ids))
    block = start_block(data, noise_shapes, 3, CONFIG, 0, taste_set.features)
    rows = parts_of(taste_set, parts)
    own = [(one.rating - ratings.rating.mean()) / ratings.rating.std() for one in rows]
    targets = {one.number: (y, y[one.by_item.order]) for one, y in zip(rows, own, strict=True)}
    job = Job(Group(), parts, rows, data.by_movie.count, targets)
    state = start_state(job, noise_shapes, 3, CONFIG, 0, taste_set.features)
    for _ in range(4):
        sweep_block(block, data, CONFIG)
        sweep(state, job, CONFIG, lambda: None)
    assert state.alpha == pytest.approx(block.alpha, rel=1e-4)
    torch.testing.assert_close(state.item.mean, block.movie.mean, atol=2e-4, rtol=1e-3)
    torch.testing.assert_close(state.item.covariance, block.movie.covariance, atol=2e-5, rtol=1e-3)
    torch.testing.assert_close(state.item.noise_precision, block.movie.noise_precision, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(state.precision, block.user.precision, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(state.link, block.user.link, atol=1e-4, rtol=1e-3)


def test_a_tree_sum_does_not_depend_on_the_order_of_its_parts() -> None:
    values = [torch.randn(5, 3) * 10.0**power for power in range(8)]
    sums = []
    for order in ([0, 1, 2, 3, 4, 5, 6, 7], [7, 0, 6, 1, 5, 2, 4, 3]):
        tree = TreeSum()
        for part in order:
            tree.add(part, values[part].clone())
        sums.append(tree.total(Group(), 8))
    assert torch.equal(*sums)


@pytest.mark.parametrize(("items", "world"), [(1, 4), (1024, 2), (5_000, 3)])
def test_processes_share_items_in_whole_blocks(items: int, world: int) -> None:
    ends = item_ends(items, world)
    assert (ends[0], ends[-1], len(ends)) == (0, items, world + 1)
    assert ends == sorted(ends)
    assert all(end % 1024 == 0 for end in ends[:-1])
