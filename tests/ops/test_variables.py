"""Variables of make with values that are not allowed: one line at once, that says what is."""

import shutil
import subprocess
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from model.adopted_network import OUTPUTS as MODEL_OUTPUTS
from model.ranking import RankBy
from ops import variables
from ops.variables import find_fault, main
from train.config import PRESETS, TrainConfig

MAKEFILE = Path(__file__).parents[2] / "Makefile"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("VERSION", "", "VERSION: got '', allowed: a name of letters"),
        ("VERSION", "../1.0", "VERSION: got '../1.0', allowed: a name of letters"),
        ("FROM", "", "FROM: got '', allowed: a name"),
        ("SHARE", "abc", "SHARE: got 'abc', allowed: a number, more than 0 and at most 1"),
        ("SHARE", "nan", "SHARE: got 'nan', allowed: a number"),
        ("TOP_K", "zero", "TOP_K: got 'zero', allowed: a whole number, at least 1"),
        ("KEEP", "0", "KEEP: got '0', allowed: a whole number, at least 1"),
        ("PROCESSES", "1.5", "PROCESSES: got '1.5', allowed"),
        ("SCALE", "5", "SCALE: got '5', allowed: two numbers, the lowest first"),
        ("SCALE", "5 1", "SCALE: got '5 1', allowed: two numbers"),
        ("CLUSTER", "yes", "CLUSTER: got 'yes', allowed: auto, local, or a head such as 10.0.0.1:6379"),
        ("PRESET", "best", "PRESET: got 'best', allowed: default, reference, mlp"),
        ("OUTPUT", "stars", "OUTPUT: got 'stars', allowed: rating, unit, logit, probability"),
        ("MODE", "x", "MODE: got 'x', allowed: shadow, canary"),
        ("ITEM", "user", "ITEM: got 'user', and the field user already has another meaning"),
        ("TAGS", "rating", "TAGS: got 'rating', and the field rating already has another meaning"),
        ("TAGS", "My tags", "TAGS: got 'My tags', allowed: 1 to 40 lower-case letters"),
        ("TRAIN_ARGS", "--seed 1 --split foo", "TRAIN_ARGS: got --split 'foo', allowed: random, time"),
        ("TRAIN_ARGS", "--split=foo", "TRAIN_ARGS: got --split 'foo', allowed: random, time"),
        ("DATA", "", "DATA: got '', allowed: a file, a folder, or the address of a database or an object store"),
        ("TRAIN_ARGS", "--seed '1", "TRAIN_ARGS: got --seed '1, which is not closed"),
    ],
)
def test_a_value_that_is_not_allowed_is_told_in_one_line(name: str, value: str, told: str) -> None:
    fault = find_fault({"DATA": "ratings.csv", name: value})
    assert fault is not None
    assert fault.startswith(told)
    assert "\n" not in fault


def test_values_that_are_allowed_have_no_fault() -> None:
    given = {"VERSION": "1.0", "SHARE": "1", "SCALE": "0.5 5", "ITEM": "product", "TAGS": "categories", "AUTH": ""}
    assert find_fault({**given, "TRAIN_ARGS": "--split time --seed 1", "TOP_K": "10", "EXACT": "yes"}) is None


def test_the_choices_are_those_of_the_commands() -> None:
    assert set(variables.PRESETS) == set(PRESETS)
    assert get_args(get_type_hints(TrainConfig)["split"]) == variables.SPLITS
    assert variables.OUTPUTS == MODEL_OUTPUTS
    assert set(variables.ORDERS) == set(get_args(RankBy))


def test_a_fault_ends_with_status_two(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("SHARE", "2")
    with pytest.raises(SystemExit) as caught:
        main(["SHARE"])
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("SHARE: got '2', allowed: a number")


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_make_checks_before_a_verb_begins() -> None:
    words = ["make", "-n", "-o", ".venv/serve", "train", "PRESET=best", "TRAIN_ARGS=--seed 1"]
    planned = subprocess.run(words, cwd=MAKEFILE.parent, capture_output=True, text=True, check=True).stdout.splitlines()
    check, verb = (next(place for place, line in enumerate(planned) if name in line) for name in ("variables", "build"))
    assert check < verb
    assert planned[check].endswith("-m ops.variables PRESET TRAIN_ARGS")
