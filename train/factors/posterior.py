"""The closed-form update of one side of a factor block, given the other.

For entity n with ratings r, other side's vectors (c, v), x = (1, v):

    A_n = Lambda + sum_r w_r E[x x'],   mean_n = A_n^-1 (Lambda mu_n + sum_r w_r (y_r E[x] - E[x c]))

with w_r = alpha * own noise precision * other's noise precision. Expectations are over the other side's posterior
(mean-field variational Bayes: Lim & Teh 2007). The other side's precision scales its tables and the own one scales
the sums, so nothing is computed rating by rating but weighted sums of table rows. Of several processes each updates
its share of the entities, and gets the others' (train/distributed.py).

Shapes: N entities, R ratings, K = 1 + factors, T = K (K + 1) / 2 entries of a lower triangle, P features.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from model.moments import moments, triangle
from train import distributed

_CHUNK = 8192  # entities at a time: their K x K systems stay in the processor's cache


@dataclass(frozen=True)
class SideRows:
    """Ratings in the order of one side: entity n's begin at start[n] (N,). other, order (R,), count (N,) float32.

    other: the other side's rows; order: where each rating stood.
    """

    start: Tensor
    other: Tensor
    order: Tensor
    count: Tensor


def sort_by_side(own: Tensor, other: Tensor, num_own: int) -> SideRows:
    """Ratings (R,) of rows `own` and `other`, grouped by `own`; within an entity they keep their order."""
    order = torch.argsort(own, stable=True)
    count = torch.bincount(own, minlength=num_own)
    return SideRows(count.cumsum(0) - count, other[order], order, count.float())


@dataclass
class Side:
    """Posterior and prior of the users or the movies of one block.

    mean (N, K): bias, then factors. covariance (N, T). precision (K, K): the prior's Lambda. features (N, P) and
    link (P, K): the prior mean is features @ link. noise (N,): relative noise precision.
    """

    mean: Tensor
    covariance: Tensor
    precision: Tensor
    features: Tensor
    link: Tensor
    noise: Tensor

    def to(self, device: torch.device) -> Side:
        """The same on another device; the covariance keeps its layout."""
        covariance = self.covariance.T.contiguous().to(device).T
        others = (self.precision, self.features, self.link, self.noise)
        precision, features, link, noise = (tensor.to(device) for tensor in others)
        return Side(self.mean.to(device), covariance, precision, features, link, noise)


def update_side(rows: SideRows, target: Tensor, alpha: float, other: Side, own: Side) -> tuple[Tensor, Tensor, Tensor]:
    """Posterior of `own` given `other`; target (R,) in the order of `rows`.

    Returns mean (N, K), covariance (N, T), and by entity the expected squared error (N,),
    sum_r w_r E[(y_r - f_r)^2].
    """
    x, outer, cross, square = moments(other.mean, other.covariance)
    weight = other.noise.unsqueeze(1)
    plain = torch.cat([outer, cross, square.unsqueeze(1)], 1) * weight  # summed as they are
    lifted = torch.cat([x, other.mean[:, :1]], 1) * weight  # summed times the target
    pull = own.features @ own.link @ own.precision
    scale = (alpha * own.noise).unsqueeze(1)
    mean = torch.empty_like(own.mean)
    covariance = torch.empty(own.covariance.T.shape, device=mean.device).T  # laid out as it is written and read
    error = torch.empty_like(own.noise)
    ends = distributed.bounds(rows.start, len(target))
    mine = slice(ends[distributed.rank()], ends[distributed.rank() + 1])
    edges = [*range(mine.start, mine.stop, _CHUNK), mine.stop]
    starts = torch.cat([rows.start, rows.start.new_tensor([len(target)])])[edges].tolist()
    for entities, (first, last) in zip(
        itertools.starmap(slice, itertools.pairwise(edges)), itertools.pairwise(starts), strict=True
    ):
        at, y, offsets = rows.other[first:last], target[first:last], rows.start[entities] - first
        sums = functional.embedding_bag(at, plain, offsets, mode="sum") * scale[entities]
        pulls = _weighted_sums(at, lifted, offsets, y) * scale[entities]
        squares = (_weighted_sums(at, weight, offsets, y * y) * scale[entities])[:, 0]
        solved = _solve(sums, pulls, squares, pull[entities], own.precision)
        mean[entities], covariance[entities], error[entities] = solved
    for part in () if distributed.world() == 1 else (mean, covariance, error):
        part.copy_(distributed.gather_rows(part[mine], ends))
    return mean, covariance, error


def inverse_cholesky(lower: Tensor, size: int) -> Tensor:
    """Inverses (K, K, N) of the Cholesky factors of N positive definite matrices, given as lower triangles (T, N).

    The batch comes last, so that K^2 operations on long vectors do all of it: LAPACK, called N times for a small
    matrix each, takes several times as long.
    """
    at = triangle(size, lower.device)[2].view(size, size)
    factor = torch.zeros(size, size, lower.shape[1], device=lower.device)
    inverse = torch.zeros_like(factor)
    for j in range(size):
        column = lower[at[j:, j]]
        if j:
            column = column - (factor[j:, :j] * factor[j, :j]).sum(1)
        factor[j:, j] = column * column[0].clamp_min(1e-9).rsqrt()
        inverse[j, j] = 1 / factor[j, j]
        if j:
            inverse[j, :j] = (factor[j, :j].unsqueeze(1) * inverse[:j, :j]).sum(0) * -inverse[j, j]
    return inverse


def _weighted_sums(at: Tensor, table: Tensor, offsets: Tensor, weight: Tensor) -> Tensor:
    """Per bag the sum of weight (R,) times the table's rows `at` (R,)."""
    return functional.embedding_bag(at, table, offsets, mode="sum", per_sample_weights=weight)


def _solve(
    sums: Tensor, pulls: Tensor, squares: Tensor, pull: Tensor, precision: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Mean (n, K), covariance (n, T) and error (n,) of n entities from their weighted sums over ratings.

    sums (n, T + K + 1): of E[x x'], E[x c], E[c^2]; pulls (n, K + 1): of y E[x], y E[c]; squares (n,): of y^2;
    pull (n, K): Lambda mu.
    """
    size = precision.shape[0]
    row, column, _ = triangle(size, sums.device)
    entries = len(row)
    prior = precision[row, column].unsqueeze(1)
    inverse = inverse_cholesky(sums[:, :entries].T + prior, size)
    products = [(inverse[i:, i].unsqueeze(1) * inverse[i:, : i + 1]).sum(0) for i in range(size)]
    covariance = torch.cat(products)  # (T, n), row by row of the triangle
    pulled = (pulls[:, :size] - sums[:, entries : entries + size]).T
    right = pulled + pull.T
    mean = (inverse * (inverse * right).sum(1).unsqueeze(1)).sum(0)  # (K, n)
    # sum_r w_r E[(x.u)^2] = tr G (C + m m') with the ratings' part of A, G = A - Lambda, so neither needs a product.
    twice = (2.0 - (row == column).float()).unsqueeze(1)  # an entry off the diagonal stands for two
    explained = size - (prior * twice * covariance).sum(0) + (mean * (right - precision @ mean)).sum(0)
    error = squares - 2 * pulls[:, size] + sums[:, -1] - 2 * (mean * pulled).sum(0) + explained
    return mean.T, covariance.T, error
