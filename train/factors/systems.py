"""The solution of many small systems A m = r with positive definite A, and the inverses of A.

Small systems are solved by the sweep operator (Goodnight 1979, "A tutorial on the SWEEP operator"), on the matrix with
its right side below it. Each of its K steps is one operation on long vectors for all systems together. LAPACK, called
once for each matrix, takes twice as long; for larger matrices it is as fast.

Shapes: N systems of K unknowns, T = K (K + 1) / 2 entries of a lower triangle.
"""

from __future__ import annotations

import torch
from torch import Tensor

from model.moments import triangle
from train.errors import DivergedError

_MOST_SMALL = 24  # unknowns of a system up to which LAPACK is slower


def rows_at_once(most: int, size: int) -> int:
    """So many rows that their K x K matrices take no more memory than `most` matrices of 9 x 9; at least 1."""
    return max(1, min(most, most * 81 // size**2))


def solve_systems(lower: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
    """Solutions (K, N) and inverses (T, N) of matrices given as lower triangles (T, N), and right sides (K, N).

    Raises:
        DivergedError: a matrix is not positive definite.
    """
    return _solve_small(lower, right) if len(right) <= _MOST_SMALL else _solve_large(lower, right)


def _solve_small(lower: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
    size = len(right)
    row, column, entry = triangle(size, lower.device)
    table = torch.cat([lower[entry], right]).view(size + 1, size, -1)
    for k in range(size):
        inverse = table[k, k].clamp_min(1e-9).reciprocal()
        across, down = table[k] * inverse, table[:, k].clone()
        across[k], down[k] = -inverse, -1.0
        table[k] = table[:, k] = 0.0
        table.addcmul_(down.unsqueeze(1), across, value=-1.0)
    return table[size], -table[row, column]


def _solve_large(lower: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
    size = len(right)
    row, column, _ = triangle(size, lower.device)
    matrix = lower.new_zeros(lower.shape[1], size, size)
    matrix[:, row, column] = lower.T  # LAPACK reads no more
    factor, failed = torch.linalg.cholesky_ex(matrix)
    if bool(failed.any()):
        raise DivergedError("training diverged (a covariance is not positive definite): try fewer --factors.factors")
    identity = torch.eye(size, device=lower.device)
    inverse = torch.linalg.solve_triangular(factor, identity.expand_as(factor), upper=False)
    covariance = inverse.mT @ inverse
    mean = (covariance @ right.T.unsqueeze(2)).squeeze(2)
    return mean.T, covariance[:, row, column].T
