"""A small factor network whose tensors are all random."""

import pytest
import torch

from model.factor_network import FactorNetwork
from model.fold_in import FoldIn
from model.moments import triangle
from model.ordinal import OrdinalHead
from model.scale import RatingScale

NUM_USERS, NUM_MOVIES, FACTORS, HIDDEN = 20, 10, 3, 5


def random_fold_in(seed: int, noise_shape: float) -> FoldIn:
    """An encoder for users who rate 10 movies and the unknown movie."""
    generator = torch.Generator().manual_seed(seed)
    size = 1 + FACTORS
    row, column, _ = triangle(size)
    root = torch.randn(NUM_MOVIES + 2, size, size, generator=generator) * 0.3
    positive = root @ root.mT
    return FoldIn(
        torch.randn(NUM_MOVIES + 1, size, generator=generator),
        positive[:-1, row, column],
        0.5 + torch.rand(NUM_MOVIES + 1, generator=generator),
        torch.randn(size, generator=generator),
        positive[-1] + torch.eye(size),
        noise_shape,
        torch.randn(size, generator=generator),
    )


def random_factor_network() -> FactorNetwork:
    torch.manual_seed(0)
    head = OrdinalHead(
        torch.tensor([2.0, 6.0]),
        torch.tensor([0.05, 0.4, 0.9]),
        torch.tensor([0.2, 0.3, 0.5]),
        torch.tensor([-1.2, 0.1, 0.9]),
        FACTORS,
        HIDDEN,
        dropout=0.1,
    )
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.5)
    movies = torch.randn(NUM_MOVIES + 1, 2 * (1 + FACTORS) + HIDDEN)
    network = FactorNetwork(
        random_fold_in(1, 1e6), random_fold_in(2, 8.0), head, movies, NUM_USERS, (6.5, 2.0), RatingScale(1, 10), 0.5
    )
    network.user_embedding.weight.copy_(torch.randn(NUM_USERS + 1, movies.shape[1]))
    return network.eval().requires_grad_(False)


@pytest.fixture
def factor_network() -> FactorNetwork:
    return random_factor_network()


@pytest.fixture(params=[1e6, 6.0], ids=["equal noise", "noise by user"])
def fold_in(request: pytest.FixtureRequest) -> FoldIn:
    return random_fold_in(3, request.param)
