"""What is promised of real data sets, where their folders are given."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from train.__main__ import main
from train.output import METRICS


def errors(data: str, out: Path, *options: str) -> dict[str, Any]:
    assert main(["--data", data, "--out", str(out), "--no-refit", "--ranking-users", "0", *options]) == 0
    groups: dict[str, Any] = json.loads((out / METRICS).read_text())["metrics"]
    return groups


@pytest.mark.skipif("KMRD_DIR" not in os.environ, reason="KMRD_DIR is not set")
@pytest.mark.parametrize(("preset", "known", "everyone"), [("default", 3.16, 3.33), ("reference", 3.54, 4.29)])
def test_kmrd_is_predicted_as_well_as_promised(preset: str, known: float, everyone: float, tmp_path: Path) -> None:
    """The reference takes a minute or two: like its notebook, it makes 42,000 steps of 8 ratings."""
    groups = errors(os.environ["KMRD_DIR"], tmp_path, "--preset", preset)
    assert groups["known"]["network"]["mse"] <= known
    assert groups["all"]["network"]["mse"] <= everyone
    assert groups["known"]["network"]["rows"] == 20_256
    assert groups["known"]["shrunken_bias"]["mse"] == pytest.approx(3.2175, abs=1e-3)
    assert groups["known"]["global_mean"]["mse"] == pytest.approx(4.419, abs=1e-3)
    assert groups["all"]["network"]["rows"] == 28_142
    assert groups["new_user"]["network"]["rows"] == 7_883
    assert groups["new_user"]["network"]["mse"] < groups["new_user"]["global_mean"]["mse"]


@pytest.mark.parametrize(("variable", "rmse"), [("MOVIETWEETINGS_DIR", 1.455), ("MOVIELENS_DIR", 0.850)])
def test_the_same_defaults_do_well_elsewhere(variable: str, rmse: float, tmp_path: Path) -> None:
    if variable not in os.environ:
        pytest.skip(f"{variable} is not set")
    known = errors(os.environ[variable], tmp_path)["known"]
    assert known["network"]["rmse"] <= rmse
    assert known["shrunken_bias"]["network_minus_this"] + 3 * known["shrunken_bias"]["standard_error"] < 0
