"""The closed-form update of one side of a factor block, given the other.

For entity n with ratings r, other side's vectors (c, v), x = (1, v):

    A_n = Lambda + sum_r w_r E[x x'],   mean_n = A_n^-1 (Lambda mu_n + sum_r w_r (y_r E[x] - E[x c]))

with w_r = alpha * own noise precision * other's noise precision. Expectations are over the other side's posterior
(mean-field variational Bayes: Lim & Teh 2007). The other side's precision scales its tables and the own one scales
the sums, so nothing is computed rating by rating but weighted sums of table rows.

Shapes: N entities, R ratings, K = 1 + factors, T = K (K + 1) / 2 entries of a lower triangle, P features.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from model.moments import moments, triangle
from train.factors.systems import rows_at_once, solve_systems

# Entities at a time, with up to 8 factors. On a CPU their K x K systems stay in the cache. A GPU takes few large steps.
_CHUNK = {"cpu": 4_096, "cuda": 262_144}


@dataclass(frozen=True)
class SideRows:
    """Ratings, grouped by the entities of one side.

    start (N,): where each entity's ratings begin. other (R,): rows of the other side. order (R,): where each rating
    stood before it was sorted. count (N,) float32: numbers of ratings.
    """

    start: Tensor
    other: Tensor
    order: Tensor
    count: Tensor


def sort_by_side(own: Tensor, other: Tensor, num_own: int) -> SideRows:
    """Ratings (R,) of rows `own` and `other`, grouped by `own`; within an entity they keep their order."""
    order = torch.argsort(own, stable=True)
    count = torch.bincount(own, minlength=num_own)
    start = count.cumsum(0) - count
    return SideRows(start=start, other=other[order], order=order, count=count.float())


@dataclass
class Side:
    """Posterior and prior of the users or the movies of one block.

    mean (N, K): bias, then factors. covariance (N, T). precision (K, K): the prior's Lambda. features (N, P) and
    link (P, K): the prior mean is features @ link. noise_precision (N,): relative, 1 on average.
    """

    mean: Tensor
    covariance: Tensor
    precision: Tensor
    features: Tensor
    link: Tensor
    noise_precision: Tensor

    def to(self, device: torch.device) -> Side:
        """The same on another device; the covariance keeps its layout."""
        return Side(
            mean=self.mean.to(device),
            covariance=self.covariance.T.contiguous().to(device).T,
            precision=self.precision.to(device),
            features=self.features.to(device),
            link=self.link.to(device),
            noise_precision=self.noise_precision.to(device),
        )


class Tables(NamedTuple):
    """What is summed over ratings, by row of the other side (M rows), each row times its noise precision.

    moments (M, T + K + 1): E[x x'], E[x c], E[c^2]. linear (M, K + 1): E[x], E[c]. weight (M, 1): the precision.
    """

    moments: Tensor
    linear: Tensor
    weight: Tensor


class Sums(NamedTuple):
    """Weighted sums over the ratings of n entities.

    moments (n, T + K + 1): of E[x x'], E[x c], E[c^2]. linear (n, K + 1): of y E[x], y E[c]. square (n,): of y^2.
    """

    moments: Tensor
    linear: Tensor
    square: Tensor


def update_side(
    rows: SideRows, target: Tensor, alpha: float, tables: Tables, own: Side
) -> tuple[Tensor, Tensor, Tensor]:
    """Posterior of `own` given the other side; target (R,) in the order of `rows`.

    tables: of the other side. Of `own`, only prior and noise are read.

    Returns mean (N, K), covariance (N, T), and by entity the expected squared error (N,),
    sum_r w_r E[(y_r - f_r)^2].
    """
    prior_term = own.features @ own.link @ own.precision  # (N, K): Lambda mu
    scale = (alpha * own.noise_precision).unsqueeze(1)
    num, size = prior_term.shape
    mean = torch.empty_like(prior_term)
    covariance = mean.new_empty(size * (size + 1) // 2, num).T  # laid out as it is written and read
    error = torch.empty_like(own.noise_precision)
    for entities, ratings in chunks(rows, len(target), size):
        sums = sums_of(tables, rows, target, entities, ratings, scale[entities])
        mean[entities], covariance[entities], error[entities] = solve(sums, prior_term[entities], own.precision)
    return mean, covariance, error


def tables_of(other: Side) -> Tables:
    """What an update of one side sums of the other."""
    x, outer, cross, square = moments(other.mean, other.covariance)
    weight = other.noise_precision.unsqueeze(1)
    bias = other.mean[:, :1]
    return Tables(
        moments=torch.cat([outer, cross, square.unsqueeze(1)], 1) * weight,
        linear=torch.cat([x, bias], 1) * weight,
        weight=weight,
    )


def chunks(rows: SideRows, num_ratings: int, size: int) -> Iterator[tuple[slice, slice]]:
    """The entities, some at a time, and where their ratings lie. size: K of their systems."""
    num, at_once = len(rows.start), rows_at_once(_CHUNK[rows.start.device.type], size)
    edges = [*range(0, num, at_once), num]
    starts = torch.cat([rows.start, rows.start.new_tensor([num_ratings])])[edges].tolist()
    for place in range(len(edges) - 1):
        yield slice(edges[place], edges[place + 1]), slice(starts[place], starts[place + 1])


def sums_of(tables: Tables, rows: SideRows, target: Tensor, entities: slice, ratings: slice, scale: Tensor) -> Sums:
    """The sums of some entities over their ratings, times the entities' `scale` (n, 1)."""
    other = rows.other[ratings]
    offsets = rows.start[entities] - ratings.start
    y = target[ratings]
    return Sums(
        moments=functional.embedding_bag(other, tables.moments, offsets, mode="sum") * scale,
        linear=_weighted_sums(other, tables.linear, offsets, y) * scale,
        square=(_weighted_sums(other, tables.weight, offsets, y * y) * scale)[:, 0],
    )


def _weighted_sums(rows: Tensor, table: Tensor, offsets: Tensor, weight: Tensor) -> Tensor:
    """By group the sum of the table's `rows` (R,), each times its weight (R,); groups begin at `offsets`."""
    return functional.embedding_bag(rows, table, offsets, mode="sum", per_sample_weights=weight)


def solve(sums: Sums, prior_term: Tensor, precision: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean (n, K), covariance (n, T) and error (n,) of n entities; prior_term (n, K) is Lambda mu."""
    size = precision.shape[0]
    row, column, _ = triangle(size, precision.device)
    entries = len(row)
    outer_sum = sums.moments[:, :entries].T  # (T, n): of E[x x']
    cross_sum = sums.moments[:, entries : entries + size]  # of E[x c]
    bias_square_sum = sums.moments[:, -1]  # of E[c^2]
    prior = precision[row, column].unsqueeze(1)
    data_term = (sums.linear[:, :size] - cross_sum).T  # (K, n): sum_r w_r (y_r E[x] - E[x c])
    right = data_term + prior_term.T
    mean, covariance = solve_systems(outer_sum + prior, right)  # (K, n) and (T, n)
    # sum_r w_r E[(x.u)^2] = tr G (C + m m') with the ratings' part of A, G = A - Lambda, so neither needs a product.
    twice = (2.0 - (row == column).float()).unsqueeze(1)  # an entry off the diagonal stands for two
    explained = size - (prior * twice * covariance).sum(0) + (mean * (right - precision @ mean)).sum(0)
    target_bias_sum = sums.linear[:, size]  # of y E[c]
    error = sums.square - 2 * target_bias_sum + bias_square_sum - 2 * (mean * data_term).sum(0) + explained
    return mean.T, covariance.T, error
