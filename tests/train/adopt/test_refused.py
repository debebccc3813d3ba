"""What cannot be served is told in one line when it is adopted: what was got, what is wanted, and where."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from tests.train.adopt.conftest import MOVIES, USERS, Own, script
from train.adopt.adopt import adopt
from train.adopt.config import AdoptConfig
from train.errors import DataError

Configure = Callable[..., AdoptConfig]


class Wide(Own):
    def forward(self, user: Tensor, movie: Tensor) -> Tensor:
        return self.table[user] + movie.unsqueeze(1)


class Averaged(Own):
    def forward(self, user: Tensor, movie: Tensor) -> Tensor:
        return self.table[user, movie].mean()


class Several(Own):
    def forward(self, user: Tensor, movie: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        return self.table[user, movie], user


class Whole(Own):
    def forward(self, user: Tensor, movie: Tensor) -> Tensor:
        return user + movie


class Mean(Own):
    """Its scores depend on the pairs beside them."""

    def forward(self, user: Tensor, movie: Tensor) -> Tensor:
        score = self.table[user, movie]
        return score - score.mean() + 3


class Nan(Own):
    def forward(self, user: Tensor, movie: Tensor) -> Tensor:
        return torch.where(user == 2, torch.full_like(self.table[user, movie], torch.nan), self.table[user, movie])


class Hourly(Own):
    def forward(self, user: Tensor, movie: Tensor, hour: Tensor) -> Tensor:  # type: ignore[override]
        return self.table[user, movie] + hour


class Lonely(Own):
    def forward(self, user: Tensor) -> Tensor:  # type: ignore[override]
        return self.table[user, 0]


class Swapped(Own):
    def forward(self, item: Tensor, user: Tensor) -> Tensor:  # type: ignore[override]
        return self.table[user, item]


class HalfTowers(Own):
    @torch.jit.export
    def user_tower(self, user: Tensor) -> Tensor:
        return self.table[user]


class OtherTowers(HalfTowers):
    @torch.jit.export
    def movie_tower(self, movie: Tensor) -> Tensor:
        return self.table[movie % 2]

    @torch.jit.export
    def head(self, user: Tensor, movie: Tensor) -> Tensor:
        return user[..., 0] + movie[..., 0]


class NarrowTowers(OtherTowers):
    @torch.jit.export
    def movie_tower(self, movie: Tensor) -> Tensor:
        return self.table.T[movie]


@pytest.mark.parametrize(
    ("network", "told"),
    [
        (NarrowTowers(), r"net\.pt: the head does not accept the output of the towers"),
        (Wide(), r"net\.pt: forward gives shape \(1, 5\) for 1 pair, allowed is \(1,\) or \(1, 1\)"),
        (Averaged(), r"net\.pt: forward gives shape \(\) for 4 pairs, allowed is \(4,\) or \(4, 1\)"),
        (Several(), r"net\.pt: forward gives tuple, allowed is a tensor of shape \(1,\)"),
        (Whole(), r"net\.pt: forward gives torch\.int64, allowed are floating-point scores"),
        (Mean(), r"net\.pt: a pair's score differs by .* between a batch of 1 and one of 2"),
        (Nan(), rf"net\.pt: a score of user {USERS[2]}, row 2 is nan, allowed are finite numbers"),
        (Hourly(), r"net\.pt: forward\(user, movie, hour\): also needs hour; allowed are a user row and a movie row: "),
        (Lonely(), r"net\.pt: forward\(user\): takes one input, allowed are two, rows of users"),
        (Swapped(), r"net\.pt: forward\(item, user\): takes movies first, allowed is users first"),
        (HalfTowers(), r"net\.pt: exports user_tower but not movie_tower, head"),
        (OtherTowers(), r"net\.pt: head\(user_tower, movie_tower\) and forward differ"),
        (Own(3), r"net\.pt: fails on user row 3, which users\.csv contains: .*needs 4 rows or more"),
        (Own(4, 2), r"net\.pt: fails on movie row 4, which movies\.csv contains: .*needs 5 rows or more"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_a_network_that_cannot_be_served_is_told(
    config: Configure, tmp_path: Path, network: nn.Module, told: str
) -> None:
    script(network, tmp_path / "net.pt")
    with pytest.raises(DataError, match=told) as caught:
        adopt(config())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"output": "unit"}, r"net\.pt: gives 1\.\d+ to 4\.\d+, allowed for OUTPUT=unit is 0\.\.1: try OUTPUT=logit"),
        ({"rating_scale": (10.0, 20.0)}, r"net\.pt: gives .*, all outside the scale 10\.\.20"),
        (
            {"unknown_user_row": 9},
            r"--unknown-user-row: got 9, allowed is a row of the network's table: net\.pt: .*bounds",
        ),
        ({"unknown_movie_row": 5}, r"--unknown-movie-row: got 5, allowed is a row of the network's table"),
        ({"rating_scale": None}, r'SCALE: OUTPUT=rating needs the rating scale, .*SCALE="1 5", or RATINGS=FILE'),
    ],
)
def test_an_output_or_a_row_that_was_declared_wrongly_is_told(
    config: Configure, options: dict[str, object], told: str
) -> None:
    with pytest.raises(DataError, match=told):
        adopt(config(**options))


def test_scores_off_the_scale_are_told(config: Configure) -> None:
    adopted = adopt(config(rating_scale=(1.0, 3.0)))
    [warning] = adopted.reading.warnings
    assert "of the checked scores are outside 1..3; each is served as the nearest bound" in warning


@pytest.mark.parametrize(
    ("source", "arguments", "told"),
    [
        ("", "", r"own\.py has no class or function Net"),
        ("import nothing_of_that_name", "", r"own\.py cannot be imported: ModuleNotFoundError"),
        ("raise SystemExit(3)", "", r"own\.py cannot be imported: SystemExit: 3; importing runs the file once"),
        ("Net = dict", "", r"Net gives dict, allowed is a torch\.nn\.Module"),
        ("{own}", "", r"Net\(users, movies\).*missing a required argument: 'users'; set the arguments by MODULE_ARGS"),
        ("{own}", "[4]", r"MODULE_ARGS: got \[4\], allowed is a JSON object"),
        ("{own}", '{"users": 3, "movies": 5}', r"params\.data: does not fit .*size mismatch for table"),
        ("{unscripted}", '{"users": 4, "movies": 5}', r"own\.py:Net: TorchScript cannot compile it"),
    ],
)
def test_a_class_that_cannot_be_used_is_told(
    config: Configure, tmp_path: Path, source: str, arguments: str, told: str
) -> None:
    own = """import torch
class Net(torch.nn.Module):
    def __init__(self, users, movies):
        super().__init__()
        self.table = torch.nn.Parameter(torch.zeros(users, movies))
    def forward(self, users, movies):
        return self.table[users, movies]
"""
    unscripted = own.replace("return ", "return (lambda **all: all['x'])(x=0) + ")
    text = source.replace("{own}", own).replace("{unscripted}", unscripted)
    (tmp_path / "own.py").write_text(text)
    torch.save({"table": torch.ones(len(USERS), len(MOVIES))}, tmp_path / "params.data")
    with pytest.raises(DataError, match=told) as caught:
        adopt(config(model="params.data", module=f"{tmp_path}/own.py:Net", module_args=arguments))
    assert "\n" not in str(caught.value)


def test_a_file_of_another_kind_is_told(config: Configure, tmp_path: Path) -> None:
    torch.save({"table": torch.ones(2)}, tmp_path / "params.data")
    save_file({"table": torch.ones(2)}, tmp_path / "net.safetensors")
    torch.save(nn.Linear(1, 1), tmp_path / "whole.pt")
    for name, kind in (
        ("params.data", "got a file of torch.save, .* allowed is a TorchScript file: save it by torch.jit.script"),
        ("whole.pt", "got a file of torch.save, which contains no code"),
        ("users.csv", "not a TorchScript file: save it"),
        ("net.safetensors", "contains tensors but no code: name the network's class"),
    ):
        with pytest.raises(DataError, match=rf"{name}: {kind}.* MODULE=FILE\.py:CLASS"):
            adopt(config(model=name))
    (tmp_path / "own.py").write_text("import torch\ndef Net(): return torch.nn.Linear(1, 1)\n")
    for name in ("whole.pt", "net.pt", "users.csv"):
        with pytest.raises(DataError, match=rf"{name}: not a state_dict"):
            adopt(config(model=name, module=f"{tmp_path}/own.py:Net"))


def test_ratings_of_strangers_are_told(config: Configure, tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text("user_id,movie_id,rating\n1,1,3\n2,2,4\n")
    with pytest.raises(DataError, match=r"ratings\.csv: the network knows the user and the movie of no rating"):
        adopt(config(ratings="ratings.csv"))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"output": "probability"}, "--rating-scale: got 1 5, allowed with --output probability is 0 1"),
        ({"unknown_user_row": -1}, "--unknown-user-row: got -1, allowed is 0 or more"),
        ({"module_args": "{}"}, "--module-args: needs --module"),
        ({"rating_scale": (5.0, 1.0)}, r"rating_scale: got 5\.\.1"),
    ],
)
def test_options_that_contradict_are_told(config: Configure, options: dict[str, object], told: str) -> None:
    with pytest.raises(DataError, match=told):
        config(**options)
