"""A network of somebody else: its rows are in an order of its own, and its scores are known."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from train.adopt.config import AdoptConfig

USERS = [11_242, 0, 2**40, 7]  # the position is the network's row
MOVIES = [77_777, 3, 10_007, 2**62, 10_102]


class Own(nn.Module):
    """Scores of 1..5 from a table, one for each pair."""

    def __init__(self, num_users: int = len(USERS), num_movies: int = len(MOVIES)) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.table = nn.Parameter(1 + 4 * torch.rand(num_users, num_movies, generator=generator))

    def forward(self, user: Tensor, movie: Tensor) -> Tensor:
        return self.table[user, movie]


def script(network: nn.Module, path: Path) -> Path:
    torch.jit.script(network.eval()).save(str(path))
    return path


@pytest.fixture
def truth() -> np.ndarray:
    """(num_users, num_movies), the scores of `Own` in its own order."""
    table: np.ndarray = Own().table.detach().numpy()
    return table


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., AdoptConfig]:
    """Options for `Own`, with others in their place."""
    script(Own(), tmp_path / "net.pt")
    (tmp_path / "users.csv").write_text("\n".join(["user_id", *map(str, USERS)]) + "\n")
    (tmp_path / "movies.csv").write_text("\n".join(["movie_id", *map(str, MOVIES)]) + "\n")

    def make(**options: Any) -> AdoptConfig:
        files = {"model": "net.pt", "users": "users.csv", "movies": "movies.csv"}
        given = {"rating_scale": (1.0, 5.0), "out": tmp_path / "out", **files, **options}
        paths = {name: tmp_path / given[name] for name in (*files, "ratings", "catalogue") if name in given}
        return AdoptConfig(**{**given, **paths})

    return make
