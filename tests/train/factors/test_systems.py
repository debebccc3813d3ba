"""Small and large systems against numpy in float64."""

import numpy as np
import pytest
import torch
from torch import Tensor

from model.moments import triangle
from train.errors import DivergedError
from train.factors.systems import rows_at_once, solve_systems


def positive_matrices(number: int, size: int) -> Tensor:
    root = torch.randn(number, size, size, generator=torch.Generator().manual_seed(0))
    return root @ root.mT + torch.eye(size)


def lower_of(matrices: Tensor) -> Tensor:
    row, column, _ = triangle(matrices.shape[1])
    return matrices[:, row, column].T


@pytest.mark.parametrize("size", [1, 3, 9, 17, 24, 25, 33])
def test_systems_are_solved_and_inverted_whatever_their_size(size: int) -> None:
    matrices = positive_matrices(50, size)
    right = torch.randn(size, 50, generator=torch.Generator().manual_seed(1))
    mean, covariance = solve_systems(lower_of(matrices), right)
    inverse = np.linalg.inv(matrices.double().numpy())
    full = triangle(size)[2]
    np.testing.assert_allclose(covariance.T[:, full].view(-1, size, size), inverse, atol=1e-3, rtol=1e-3)
    expected = np.einsum("nij,jn->in", inverse, right.double().numpy())
    np.testing.assert_allclose(mean, expected, atol=2e-3, rtol=2e-3)


def test_a_large_matrix_that_is_not_positive_is_refused() -> None:
    matrices = positive_matrices(2, 30)
    matrices[1] = -matrices[1]
    with pytest.raises(DivergedError, match="not positive definite"):
        solve_systems(lower_of(matrices), torch.ones(30, 2))


@pytest.mark.parametrize(("size", "rows"), [(3, 8_100), (9, 8_100), (18, 2_025), (4_000, 1)])
def test_fewer_rows_with_large_matrices_fit_into_the_same_memory(size: int, rows: int) -> None:
    assert rows_at_once(8_100, size) == rows
