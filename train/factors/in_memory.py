"""A factor block of ratings that lie in memory, all of them in every process.

Users are cut into parts of neighbours, whose tables stay in the processor's cache while movies add them up. Of several
processes each has the parts of its share of users. Users who are alike (train/factors/alike.py) are one row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor

from train import distributed
from train.cores import in_order
from train.dataset.tensors import Ratings
from train.factors.alike import Alike, alike_users
from train.factors.config import FactorsConfig
from train.factors.posterior import Side, sort_by_side, tables_of
from train.factors.sweep import BlockState, SweepData, solve_users, sweep
from train.factors.user_part import UserPart, user_part
from train.factors.variational import Block, bilinear

# Ratings of a part: at least so many, and so many for each movie, since a part adds a row to every movie's sums.
_PART_RATINGS, _RATINGS_PER_MOVIE = 500_000, 8


class _InMemory:
    """Sums and rows of the processes of train/distributed.py."""

    @property
    def rank(self) -> int:
        return distributed.rank()

    @property
    def world(self) -> int:
        return distributed.world()

    def new_sum(self) -> _Sum:
        return _Sum()

    def gather(self, own: Tensor, ends: Sequence[int]) -> Tensor:
        return distributed.gather_rows(own, ends)


class _Sum:
    """Adds parts up as they come."""

    def __init__(self) -> None:
        self._sum: Tensor | None = None

    def add(self, _part: int, value: Tensor) -> None:
        self._sum = value if self._sum is None else self._sum.add_(value)

    def total(self) -> Tensor:
        assert self._sum is not None
        return distributed.reduce_sum(self._sum)

    def total_of_rows(self, ends: Sequence[int]) -> Tensor:
        return self.total()[ends[distributed.rank()] : ends[distributed.rank() + 1]]


@dataclass(frozen=True)
class RatingsInParts:
    """Ratings (R,) for sweeps.

    order: where each of the ratings in this process's parts stood. ends: the groups of users of each process.
    """

    sweeps: SweepData
    order: Tensor
    ends: Sequence[int]
    alike: Alike

    def with_target(self, target: Tensor) -> RatingsInParts:
        """The same ratings with another target (R,), in the order that the ratings were given in.

        Ratings that had the same target must have the same one again.
        """
        own, targets = target[self.order], {}
        pieces = own.split([part.num_ratings for part in self.sweeps.parts])
        for part, piece in zip(self.sweeps.parts, pieces, strict=True):
            targets[part.number] = piece, piece[part.by_movie.order]
        return replace(self, sweeps=replace(self.sweeps, targets=targets))

    def own(self, of_all: Tensor) -> dict[int, Tensor]:
        """By part the rows of its users, of those of all users (N, ...)."""
        first, last = self.ends[distributed.rank()], self.ends[distributed.rank() + 1]
        mine = of_all[self.alike.first[first:last]]
        pieces = mine.split([len(part.by_user.count) for part in self.sweeps.parts])
        return {part.number: piece for part, piece in zip(self.sweeps.parts, pieces, strict=True)}

    def of_all(self, by_part: dict[int, Tensor]) -> Tensor:
        """The rows (N, ...) of all users, by those of this process's parts."""
        own = torch.cat([by_part[part.number] for part in self.sweeps.parts])
        return distributed.gather_rows(own, self.ends)[self.alike.group]


def cut_ratings(
    user_index: Tensor, movie_index: Tensor, target: Tensor, num_users: int, num_movies: int
) -> RatingsInParts:
    """Ratings (R,) in parts of users."""
    alike = alike_users(user_index, movie_index, target, num_users)
    group = alike.group[user_index]
    kept = torch.nonzero(alike.first[group] == user_index)[:, 0]
    group = group[kept]
    rows = sort_by_side(group, movie_index[kept], len(alike.first))
    ends = distributed.bounds(rows.start, len(kept))
    first, last = ends[distributed.rank()], ends[distributed.rank() + 1]
    edge = torch.cat([rows.start, rows.start.new_tensor([len(kept)])])
    at_once = max(_PART_RATINGS, _RATINGS_PER_MOVIE * num_movies)
    own = int(edge[last] - edge[first])
    wanted = edge[first] + own * torch.arange(1, 1 + own // at_once, device=edge.device) // (1 + own // at_once)
    cuts = [first, *(first + torch.searchsorted(edge[first:last].contiguous(), wanted)).tolist(), last]
    owner = group[rows.order]
    parts: list[UserPart] = []
    for number, (begin, end) in enumerate(pairwise(cuts)):
        some = slice(int(edge[begin]), int(edge[end]))
        copies = alike.copies[begin:end]
        parts.append(user_part(number, owner[some] - begin, rows.other[some], end - begin, copies))
    movie_count = torch.bincount(movie_index, minlength=num_movies).float()
    order = kept[rows.order[int(edge[first]) : int(edge[last])]]
    data = SweepData(_InMemory(), parts, movie_count, {})
    return RatingsInParts(data, order, ends, alike).with_target(target)


def sweep_and_predict(state: BlockState, data: RatingsInParts, config: FactorsConfig, pairs: Ratings) -> Tensor:
    """Sweeps; returns the predictions (B,) of pairs of rows by the sweep's users and movies."""
    means: dict[int, Tensor] = {}
    sweep(state, data.sweeps, config, lambda part, user: means.update({part: user.mean}))
    return bilinear(data.of_all(means)[pairs.user_index], state.movie.mean[pairs.movie_index])


def with_users(state: BlockState, data: RatingsInParts) -> Block:
    """The block with all users, solved once more, so that they match the last movies."""
    tables = tables_of(state.movie)
    means, covariances = {}, {}
    parts, targets = data.sweeps.parts, data.sweeps.targets
    solved = in_order(lambda part: solve_users(state, part, targets[part.number][0], tables), parts)
    for part, (user, _) in zip(parts, solved, strict=True):
        means[part.number], covariances[part.number] = user.mean, user.covariance
    noise = data.of_all(state.noise)
    user = Side(
        mean=data.of_all(means),
        covariance=data.of_all(covariances).T.contiguous().T,
        precision=state.precision,
        features=noise.new_ones(len(noise), 1),
        link=state.link,
        noise_precision=noise,
    )
    return Block(user, state.movie, state.alpha, state.noise_shapes)
