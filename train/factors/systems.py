"""The solution of many small systems A m = r with positive definite A, and the inverses of A.

A covariance A^-1 is W' W with W the inverse of A's Cholesky factor. LAPACK, called once for each matrix, takes several
times as long for small matrices as operations on long vectors, one for each entry of a matrix; for larger ones it is
faster.

Shapes: N systems of K unknowns, T = K (K + 1) / 2 entries of a lower triangle.
"""

from __future__ import annotations

import torch
from torch import Tensor

from model.moments import triangle
from train.errors import DivergedError

_MOST_SMALL = 12  # unknowns of a system up to which LAPACK is slower


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
    inverse = inverse_cholesky(lower, size)
    products = [(inverse[i:, i].unsqueeze(1) * inverse[i:, : i + 1]).sum(0) for i in range(size)]
    mean = (inverse * (inverse * right).sum(1).unsqueeze(1)).sum(0)
    return mean, torch.cat(products)  # row by row of the triangle


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


def inverse_cholesky(lower: Tensor, size: int) -> Tensor:
    """Inverses (K, K, N) of the Cholesky factors of N positive definite matrices, given as lower triangles (T, N).

    The batch comes last, so that K^2 operations on long vectors do all of it.
    """
    entry = triangle(size, lower.device)[2].view(size, size)  # where the triangle has row i, column j
    factor = torch.zeros(size, size, lower.shape[1], device=lower.device)
    inverse = torch.zeros_like(factor)
    for j in range(size):
        column = lower[entry[j:, j]]
        if j:
            column = column - (factor[j:, :j] * factor[j, :j]).sum(1)
        factor[j:, j] = column * column[0].clamp_min(1e-9).rsqrt()
        inverse[j, j] = 1 / factor[j, j]
        if j:
            inverse[j, :j] = (factor[j, :j].unsqueeze(1) * inverse[:j, :j]).sum(0) * -inverse[j, j]
    return inverse
