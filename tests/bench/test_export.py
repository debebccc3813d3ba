"""The forms of a network that `python -m bench.export` compares: each holds the same network."""

import gc
import io
import warnings
import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

from bench.export import largest_difference
from bench.network_forms import FORMS, make
from bench.network_methods import METHODS, export_method, method_of
from model.network import EmbeddingMLP
from tests.model.conftest import random_factor_network


@pytest.mark.parametrize("name", [name for name in METHODS if not name.startswith(("interest", "shares"))])
def test_a_program_equals_its_method_for_any_size(name: str) -> None:
    network = random_factor_network()
    program = export_method(network, METHODS[name]).module()
    assert largest_difference({name: program}, network) <= 1e-6


@pytest.mark.parametrize("name", ["user_tower", "movie_tower", "head", "head_of_tiles"])
def test_a_program_equals_the_method_of_the_reference_network(name: str) -> None:
    network = EmbeddingMLP(20, 10, embedding_dim=4, hidden_dims=(8, 4)).eval()
    program = export_method(network, METHODS[name]).module()
    assert largest_difference({name: program}, network) <= 1e-6


def test_a_difference_is_found() -> None:
    network = random_factor_network()
    towers = {name: method_of(network, METHODS[name]) for name in ("user_tower", "movie_tower")}
    assert largest_difference(towers, network) == 0
    moved = towers | {"user_tower": lambda rows: network.user_tower(rows) + 0.5}
    assert largest_difference(moved, network) == pytest.approx(0.5)


@pytest.mark.filterwarnings("ignore:.*torch.jit.*")
@pytest.mark.parametrize("form", ["TorchScript", "Python classes"])
def test_a_form_holds_the_whole_network(form: str, tmp_path: Path) -> None:
    assert FORMS[form].write(make(), tmp_path) == {}
    assert largest_difference(FORMS[form].load(tmp_path).methods, make()) <= 1e-6


class LeavesAMark:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.path), "w")


def test_the_loader_of_programs_runs_a_pickle(tmp_path: Path) -> None:
    """Why an artifact is no such file. If this fails, read "Why TorchScript" in docs/architecture.md again."""
    torch.export.save(torch.export.export(nn.Linear(2, 2), (torch.ones(1, 2),)), tmp_path / "good.pt2")
    buffer = io.BytesIO()
    torch.save(LeavesAMark(tmp_path / "mark"), buffer)
    with zipfile.ZipFile(tmp_path / "good.pt2") as good, zipfile.ZipFile(tmp_path / "bad.pt2", "w") as bad:
        for entry in good.infolist():
            data = good.read(entry)
            if entry.filename.endswith("weights_config.json"):
                data = data.replace(b'"use_pickle": false', b'"use_pickle": true')
            is_tensor = "/weights/weight_" in entry.filename
            bad.writestr(entry, buffer.getvalue() if is_tensor else data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the file of the mark
        with pytest.raises(Exception, match="not an instance"):
            torch.export.load(tmp_path / "bad.pt2")
        gc.collect()
    assert (tmp_path / "mark").exists()
