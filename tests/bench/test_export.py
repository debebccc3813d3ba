"""The forms of a network that `python -m bench.export` compares: each holds the same network."""

from pathlib import Path

import pytest

from bench.export import largest_difference
from bench.exported import METHODS, export_method, method_of
from bench.network_forms import FORMS, make
from tests.model.conftest import random_factor_network


@pytest.mark.parametrize("name", [name for name in METHODS if not name.startswith(("interest", "shares"))])
def test_a_program_equals_its_method_for_any_size(name: str) -> None:
    network = random_factor_network()
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
