"""A sweep of one factor block, fused: each part's users are solved and at once added to the items' sums.

It is the sweep of train/factors/variational.py up to the order of summation. A user's update needs the items'
posteriors and the user's own noise, and no earlier row of the user, so between sweeps a user is one float. The sums of
items travel, and rows of users never do:

    each process: solve its users, add up its parts' sums; exchange the sums by ranges of items; solve the own range;
    gather the new rows of all items; update priors and noise, which every process does alike.

Per process and sweep 4 M (S + B) (1 - 1/N) bytes are sent: S = T + 2K + 3 sums and B = T + K + 1 values of a row.
Shapes: M items, N processes, K = 1 + factors, T = K (K + 1) / 2, n users of a part.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from model.moments import triangle
from train.errors import DivergedError
from train.factors.config import FactorsConfig
from train.factors.posterior import Side, Sums, Tables, chunks, solve, sums_of, tables_of
from train.factors.variational import FIRST_ALPHA, MOST_ALPHA, NoiseShapes, first_movies, noise_precision, update_prior
from train.parts.group import Group
from train.parts.rows import FitRows
from train.parts.tree import TreeSum

_BLOCK = 1024  # items that are solved together, whatever the number of processes


@dataclass
class BlockState:
    """A block between two sweeps, alike in every process but for `noise`, which holds the own parts' users.

    link (1, K) and precision (K, K): the users' prior. noise: by part (n,), the users' relative noise precision.
    """

    item: Side
    link: Tensor
    precision: Tensor
    alpha: float
    noise_shapes: NoiseShapes
    noise: dict[int, Tensor]
    sweeps: int = 0


@dataclass(frozen=True)
class Job:
    """What a sweep works on. targets: of a part's ratings (R,), by part, in the order of its by_user and by_item."""

    group: Group
    number: int
    parts: Sequence[FitRows]
    item_count: Tensor
    targets: dict[int, tuple[Tensor, Tensor]]

    @property
    def ratings(self) -> int:
        """Ratings of all parts."""
        return round(float(self.item_count.double().sum()))


def start_state(
    job: Job, noise_shapes: NoiseShapes, factors: int, config: FactorsConfig, seed: int, features: Tensor | None
) -> BlockState:
    """Items' factors at random, as in a fit without parts."""
    item = first_movies(job.item_count, factors, config, seed, features)
    precision = torch.diag(torch.tensor([4.0] + [8.0 * config.init_scale] * factors))
    noise = {part.number: torch.ones(len(part.by_user.count)) for part in job.parts}
    return BlockState(item, torch.zeros(1, factors + 1), precision, FIRST_ALPHA, noise_shapes, noise)


def start_from(before: BlockState, noise_shapes: NoiseShapes) -> BlockState:
    """A block for a similar target of the same ratings, which starts where another block ended."""
    noise = dict(before.noise)
    return replace(before, item=replace(before.item), noise_shapes=noise_shapes, noise=noise, sweeps=1)


def sweep(state: BlockState, job: Job, config: FactorsConfig, advance: Callable[[], object]) -> None:
    """One sweep; `advance` is called after each part.

    Raises:
        DivergedError: the noise's precision is no longer a finite number.
    """
    tables, num_items = tables_of(state.item), len(job.item_count)
    sums, scatter = TreeSum(), TreeSum()
    for part in job.parts:
        user_target, item_target = job.targets[part.number]
        user, error = solve_users(state, part, user_target, tables)
        user.noise_precision = noise_precision(state.noise_shapes[0], part.by_user.count, error / user.noise_precision)
        state.noise[part.number] = user.noise_precision
        scatter.add(part.number, _scatter(user, part.by_user.count))
        sums.add(part.number, _item_sums(user, part, item_target, num_items))
        advance()
    if state.sweeps:  # at first the items are random: nothing to learn a prior from
        state.link, state.precision = _user_prior(scatter.total(job.group, job.number), config, state.link.shape[1])
    _update_items(state, job, sums, config)
    state.sweeps += 1


def solve_users(state: BlockState, part: FitRows, target: Tensor, tables: Tables) -> tuple[Side, Tensor]:
    """Posterior of a part's users given the items, and their expected squared errors (n,)."""
    noise, size = state.noise[part.number], state.link.shape[1]
    num = len(noise)
    user = Side(
        mean=torch.empty(num, size),
        covariance=torch.empty(size * (size + 1) // 2, num).T,
        precision=state.precision,
        features=torch.ones(num, 1),
        link=state.link,
        noise_precision=noise,
    )
    error, scale = torch.empty(num), (state.alpha * noise).unsqueeze(1)
    prior_term = state.link @ state.precision  # (1, K)
    for users, ratings in chunks(part.by_user, slice(0, num), len(target), size):
        found = sums_of(tables, part.by_user, target, users, ratings, scale[users])
        solved = solve(found, prior_term.expand(users.stop - users.start, -1), state.precision)
        user.mean[users], user.covariance[users], error[users] = solved
    return user, error


def _item_sums(user: Side, part: FitRows, target: Tensor, num_items: int) -> Tensor:
    """The sums (M, S) of a part's ratings by item, before the items' own scale."""
    tables, width = tables_of(user), user.mean.shape[1]
    whole = torch.zeros(num_items, width * (width + 1) // 2 + 2 * width + 3)
    for items, ratings in chunks(part.by_item, slice(0, len(part.touched)), len(target), width):
        one = torch.ones(items.stop - items.start, 1)
        found = sums_of(tables, part.by_item, target, items, ratings, one)
        whole[part.touched[items]] = torch.cat([found.moments, found.linear, found.square.unsqueeze(1)], 1)
    return whole


def _scatter(user: Side, count: Tensor) -> Tensor:
    """Of a part's rated users, in float64: [number; sum of means; of their products; of covariances], flat."""
    rated = (count > 0).double().unsqueeze(1)
    mean = user.mean.double() * rated
    covariance = (user.covariance.double() * rated).sum(0)
    return torch.cat([rated.sum().view(1), mean.sum(0), (mean.T @ mean).flatten(), covariance])


def _user_prior(scatter: Tensor, config: FactorsConfig, size: int) -> tuple[Tensor, Tensor]:
    """The users' link and precision, as `update_prior` finds them with a feature that is 1."""
    number, total = scatter[0], scatter[1 : 1 + size]
    products = scatter[1 + size : 1 + size + size * size].view(size, size)
    covariance = scatter[1 + size + size * size :][triangle(size)[2]].view(size, size)
    link = total / (number + 1e-3)
    rest = products - torch.outer(total, link) - torch.outer(link, total) + number * torch.outer(link, link)
    strength = config.prior_rows * size
    expected = strength * config.prior_variance * torch.eye(size, dtype=torch.float64)
    precision = torch.linalg.inv((rest + covariance + expected) / (number + strength))
    return link.float().unsqueeze(0), precision.float()


def item_ends(num_items: int, world: int) -> list[int]:
    """Where the items of each process end, (world + 1,): whole blocks."""
    blocks = -(-num_items // _BLOCK)
    return [min(blocks * rank // world * _BLOCK, num_items) for rank in range(world)] + [num_items]


def _update_items(state: BlockState, job: Job, sums: TreeSum, config: FactorsConfig) -> None:
    """Items given users, their noise and prior, and alpha."""
    item, group = state.item, job.group
    ends = item_ends(len(job.item_count), group.world)
    begin, own = ends[group.rank], sums.totals_of_rows(group, job.number, ends)
    prior_term = item.features @ item.link @ item.precision
    size = item.mean.shape[1]
    solved = []
    for first in range(0, len(own), _BLOCK):
        block = own[first : first + _BLOCK]
        rows = slice(begin + first, begin + first + len(block))
        scaled = block * (state.alpha * item.noise_precision[rows]).unsqueeze(1)
        moments, linear = scaled[:, : -size - 2].contiguous(), scaled[:, -size - 2 : -1].contiguous()
        mean, covariance, error = solve(Sums(moments, linear, scaled[:, -1].clone()), prior_term[rows], item.precision)
        solved.append(torch.cat([mean, covariance, error.unsqueeze(1)], 1))
    width = size + size * (size + 1) // 2 + 1
    whole = group.gather(torch.cat(solved) if solved else torch.empty(0, width))
    item.mean = whole[:, :size].clone()
    item.covariance = whole[:, size:-1].T.contiguous().T
    relative = whole[:, -1] / item.noise_precision
    item.noise_precision = noise_precision(state.noise_shapes[1], job.item_count, relative)
    update_prior(item, job.item_count, config)
    expected = float((relative * item.noise_precision).sum())
    if not math.isfinite(expected):
        raise DivergedError(f"training diverged (expected error {expected}): try fewer --factors.factors")
    state.alpha = min(state.alpha * job.ratings / max(expected, 1e-30), MOST_ALPHA)
