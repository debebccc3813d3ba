"""Moments of latent vectors. A closed-form update of one side needs them of the other side, which it holds fixed.

A vector is (bias, factors), K = 1 + factors entries. As a regressor it is x = (1, factors): the 1 multiplies the other
side's bias, and the factors multiply its factors. Symmetric K x K matrices are stored as lower triangles of
T = K (K + 1) / 2 entries.
"""

from __future__ import annotations

import torch
from torch import Tensor


def triangle(size: int, device: torch.device | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """Rows (T,) and columns (T,) of the lower triangle, and the place in it of each matrix entry (size * size,)."""
    row, column = torch.tril_indices(size, size, device=device)
    full = torch.empty(size, size, dtype=torch.int64, device=device)
    full[row, column] = full[column, row] = torch.arange(len(row), device=device)
    return row, column, full.flatten()


def moments(mean: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Moments of N vectors with posterior mean (N, K) and covariance (N, T).

    Returns E[x] (N, K), E[x x'] (N, T), E[x bias] (N, K) and E[bias^2] (N,).
    """
    size = mean.shape[1]
    _, column, full = triangle(size, mean.device)
    x = mean.T.clone(memory_format=torch.contiguous_format)  # (K, N): combining whole rows is fast
    spread, bias = covariance.T, mean[:, 0]
    with_bias = spread[full[:size]]
    x[0] = 1.0
    outer = spread * (column > 0).unsqueeze(1)  # the constant 1 has no covariance
    for i, block in enumerate(outer.split(list(range(1, size + 1)))):
        block.addcmul_(x[i], x[: i + 1])
    cross = x * bias + with_bias
    cross[0] = bias
    return x.T, outer.T, cross.T, bias**2 + with_bias[0]


def covariance_of(x: Tensor, products: Tensor, bias: Tensor, bias_square: Tensor) -> Tensor:
    """Recovers the covariances (N, T) from `moments`; products (N, T + K) are its E[x x'] and its E[x bias]."""
    size = x.shape[1]
    row, column, _ = triangle(size, x.device)
    outer, cross = products[:, : len(row)], products[:, len(row) :]
    spread = outer - x[:, row] * x[:, column]
    with_bias = cross - x * bias.unsqueeze(1)
    with_bias[:, 0] = bias_square - bias**2
    spread[:, column == 0] = with_bias[:, row[column == 0]]
    return spread
