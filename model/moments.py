"""Moments of latent vectors: what closed-form updates need of the side that they hold fixed.

A vector is (bias, factors), K = 1 + factors entries. As a regressor it is x = (1, factors): the other side's bias
meets a constant, its factors meet these. Symmetric K x K matrices are kept as their lower triangles, T = K (K + 1) / 2.
"""

from __future__ import annotations

import torch
from torch import Tensor


def triangle(size: int, device: torch.device | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """Rows and columns (T,) of the lower triangle's entries, and where each of (size * size,) entries lies in it."""
    row, column = torch.tril_indices(size, size, device=device)
    full = torch.empty(size, size, dtype=torch.int64, device=device)
    full[row, column] = full[column, row] = torch.arange(len(row), device=device)
    return row, column, full.flatten()


def moments(mean: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Moments of N vectors with posterior mean (N, K) and covariance (N, T).

    Returns E[x] (N, K), E[x x'] (N, T), E[x bias] (N, K) and E[bias^2] (N,).
    """
    size = mean.shape[1]
    row, column, full = triangle(size, mean.device)
    x = mean.T.clone(memory_format=torch.contiguous_format)  # (K, N): whole rows are combined, which is fast
    spread, bias = covariance.T, mean[:, 0]
    with_bias = spread[full[:size]]
    x[0] = 1.0
    outer = x[row] * x[column] + spread * (column > 0).unsqueeze(1)  # the constant 1 varies with nothing
    cross = x * bias + with_bias
    cross[0] = bias
    return x.T, outer.T, cross.T, bias**2 + with_bias[0]


def covariance_of(x: Tensor, products: Tensor, bias: Tensor, bias_square: Tensor) -> Tensor:
    """The covariances (N, T) that `moments` was given; products (N, T + K) are its E[x x'] beside its E[x bias]."""
    size = x.shape[1]
    row, column, _ = triangle(size, x.device)
    outer, cross = products[:, : len(row)], products[:, len(row) :]
    spread = outer - x[:, row] * x[:, column]
    with_bias = cross - x * bias.unsqueeze(1)
    with_bias[:, 0] = bias_square - bias**2
    spread[:, column == 0] = with_bias[:, row[column == 0]]
    return spread
