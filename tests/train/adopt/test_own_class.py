"""A network by its class and its state_dict, and networks as people write them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.train.adopt.conftest import MOVIES, USERS, Own, script
from tests.train.adopt.test_adopt import Towers, all_ratings, rating, served
from train.adopt.config import AdoptConfig

Configure = Callable[..., AdoptConfig]


NOTEBOOK = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, n_users, n_movies):
        super().__init__()
        self.table = nn.Parameter(torch.zeros(n_users, n_movies))

    def forward(self, users, movies, min_rating=1, max_rating=10):
        unit = torch.sigmoid(self.table[users, movies]).unsqueeze(1)
        return unit * (max_rating - min_rating) + min_rating
"""


@pytest.mark.parametrize("bounds", ["min_rating=1, max_rating=10", "min_rating: float, max_rating: float"])
def test_a_class_whose_forward_takes_the_bounds_gets_them(
    config: Configure, tmp_path: Path, bounds: str, truth: np.ndarray
) -> None:
    (tmp_path / "own.py").write_text(NOTEBOOK.replace("min_rating=1, max_rating=10", bounds))
    torch.save({"table": torch.from_numpy(truth)}, tmp_path / "params.data")
    arguments = f'{{"n_users": {len(USERS)}, "n_movies": {len(MOVIES)}}}'
    predictor = served(config(model="params.data", module=f"{tmp_path}/own.py:Net", module_args=arguments))
    assert all_ratings(predictor) == pytest.approx(1 + 4 / (1 + np.exp(-truth)), abs=1e-5)


TOWERS = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.users, self.movies = nn.Embedding(4, 3), nn.Embedding(5, 3)

    def user_tower(self, user):
        return self.users(user)

    def movie_tower(self, movie):
        return self.movies(movie)

    def head(self, user, movie):
        return 3 + (user * movie).sum(-1)

    def forward(self, user, movie):
        return self.head(self.user_tower(user), self.movie_tower(movie))
"""


def test_the_towers_of_a_class_need_no_mark(config: Configure, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(TOWERS)
    network = Towers()
    weights = {"users.weight": network.users.detach(), "movies.weight": network.movies.detach()}
    torch.save(weights, tmp_path / "params.data")
    predictor = served(config(model="params.data", module=f"{tmp_path}/own.py:Net"))
    assert predictor.scorer.has_vectors
    expected = (3 + network.users @ network.movies.T).clamp(1, 5).detach().numpy()
    assert all_ratings(predictor) == pytest.approx(expected, abs=1e-5)


class WithLastLayer(Own):
    """A network whose layers have names that towers have elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(1, 1, bias=False)
        self.user_tower = nn.Identity()
        nn.init.ones_(self.head.weight)

    def forward(self, user: Tensor, movie: Tensor) -> Tensor:
        scores: Tensor = self.head(self.table[user, movie].unsqueeze(1))
        return scores


def test_layers_that_are_called_as_towers_are_no_towers(config: Configure, tmp_path: Path, truth: np.ndarray) -> None:
    script(WithLastLayer(), tmp_path / "net.pt")
    assert all_ratings(served(config())) == pytest.approx(truth, abs=1e-5)


class Squeezed(Own):
    """A network that gives a single pair a score without a dimension."""

    def forward(self, user: Tensor, movie: Tensor) -> Tensor:
        return self.table[user, movie].squeeze()


def test_a_score_of_one_pair_may_have_no_dimension(config: Configure, tmp_path: Path, truth: np.ndarray) -> None:
    script(Squeezed(), tmp_path / "net.pt")
    predictor = served(config())
    assert all_ratings(predictor) == pytest.approx(truth, abs=1e-5)
    assert rating(predictor, USERS[1], MOVIES[2]) == pytest.approx(truth[1, 2], abs=1e-5)


PLAIN = """
import torch
{imported}
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.table = torch.nn.Parameter(torch.zeros(4, 5))

    def forward(self, users, movies):
        return self.table[users, movies]
"""


@pytest.mark.parametrize(
    ("file", "imported"),
    [
        ("own.py", "from beside import ONE"),
        ("pack/own.py", "from .beside import ONE"),
        ("pack/own.py", "from pack.beside import ONE"),
        ("torch.py", ""),
    ],
)
def test_a_class_may_import_what_lies_beside_it(
    config: Configure, tmp_path: Path, truth: np.ndarray, file: str, imported: str
) -> None:
    folder = (tmp_path / file).parent
    folder.mkdir(exist_ok=True)
    if folder != tmp_path:
        (folder / "__init__.py").write_text("")
    (folder / "beside.py").write_text("ONE = 1\n")
    (tmp_path / file).write_text(PLAIN.format(imported=imported))
    torch.save({"table": torch.from_numpy(truth)}, tmp_path / "params.data")
    predictor = served(config(model="params.data", module=f"{tmp_path / file}:Net"))
    assert all_ratings(predictor) == pytest.approx(truth, abs=1e-5)


@pytest.mark.parametrize("wrapper", ["module", "model", "_orig_mod"])
def test_names_that_a_wrapper_has_lengthened_are_understood(
    config: Configure, tmp_path: Path, truth: np.ndarray, wrapper: str
) -> None:
    (tmp_path / "own.py").write_text(PLAIN.format(imported=""))
    torch.save({"state_dict": {f"{wrapper}.table": torch.from_numpy(truth)}}, tmp_path / "last.ckpt")
    predictor = served(config(model="last.ckpt", module=f"{tmp_path}/own.py:Net"))
    assert all_ratings(predictor) == pytest.approx(truth, abs=1e-5)
