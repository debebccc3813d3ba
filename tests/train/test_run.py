"""A whole run on the embedded data set, and what an interrupted one leaves behind."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from model.archive import MODEL_CARD
from model.artifact import load_artifact
from train.__main__ import main
from train.dataset.demo import write_demo
from train.evaluation.ranking_words import compare_with_popular
from train.output import ARTIFACT, CHECKPOINT, HELD_OUT, MEASURED, METRICS

QUICK = "--factors.probe-sweeps 2 --factors.max-sweeps 2 --factors.score-sweeps 2 --factors.epochs 1"
FAST = {
    "default": QUICK.split(),
    "mlp": ["--preset", "mlp", "--mlp.epochs", "2", "--mlp.batch-size", "4096"],
}
PICTURES = {"learning_curve.png", "rating_histogram.png"}
OUTPUTS = {ARTIFACT, CHECKPOINT, MEASURED, METRICS, HELD_OUT, MODEL_CARD, *PICTURES}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "demo"
    write_demo(folder)
    return folder


@pytest.mark.parametrize("preset", sorted(FAST))
def test_a_run_writes_everything_and_reports_beside_the_baselines(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], preset: str
) -> None:
    assert main(["--data", str(demo), "--out", str(tmp_path / "1.0"), "--version", "1.0", *FAST[preset]]) == 0
    assert {path.name for path in (tmp_path / "1.0").iterdir()} == OUTPUTS
    metrics = json.loads((tmp_path / "1.0" / METRICS).read_text())
    known = metrics["metrics"]["known"]
    assert set(known) == {"network", "global_mean", "movie_mean", "shrunken_bias"}
    assert known["network"]["mse"] < known["global_mean"]["mse"]
    assert known["network"]["rmse"] == pytest.approx(known["network"]["mse"] ** 0.5)
    assert known["shrunken_bias"]["standard_error"] > 0
    assert known["shrunken_bias"]["network_minus_this"] == pytest.approx(
        known["network"]["mse"] - known["shrunken_bias"]["mse"]
    )
    assert list(metrics["rankings"]["liked"])[-4:] == ["rating", "most_popular", "best_shrunken_mean", "random"]
    assert metrics["rankings"]["users"] == 2_462  # who liked a held-out movie that they had not rated
    assert metrics["rows_per_s"] > 0
    own = ["epochs"] if preset == "mlp" else ["noise", "sweeps", "factors"]
    assert set(metrics["chosen"]) == {"rating_share", "restraint", *own}
    assert metrics["split"] == {"kind": "random", "seed": 1234, "test_size": 0.2, "served": "all"}
    told = capsys.readouterr().out
    assert "network - shrunken_bias" in told
    assert re.search(r"^most_popular( +0\.\d{4}){4}$", told, re.MULTILINE)
    assert compare_with_popular(metrics["rankings"]) in told
    assert "chosen: " in told

    artifact = load_artifact(tmp_path / "1.0" / ARTIFACT)
    assert artifact.metadata["digest"] == metrics["digest"]
    assert len(artifact.user_ids) == 4000  # all raters, the held-out ones included
    assert artifact.metadata["num_ratings"] == 73_327
    assert set(artifact.catalogue.columns) >= {"title", "genres", "year"}
    state = load_file(tmp_path / "1.0" / CHECKPOINT)
    assert np.array_equal(state["user_embedding.weight"], artifact.network.state_dict()["user_embedding.weight"])


@pytest.mark.parametrize("preset", sorted(FAST))
def test_the_same_seed_gives_the_same_digest(small_file: Path, tmp_path: Path, preset: str) -> None:
    digests = []
    for name, seed in (("a", "3"), ("b", "3"), ("c", "4")):
        assert main(["--data", str(small_file), "--out", str(tmp_path / name), "--seed", seed, *FAST[preset]]) == 0
        digests.append(json.loads((tmp_path / name / METRICS).read_text())["digest"])
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize("preset", sorted(FAST))
def test_without_a_holdout_everything_is_trained_on_and_nothing_reported(
    small_file: Path, tmp_path: Path, preset: str
) -> None:
    (tmp_path / MEASURED).write_bytes(b"of a run that was cut off")
    assert main(["--data", str(small_file), "--out", str(tmp_path), "--test-size", "0", *FAST[preset]]) == 0
    assert not (tmp_path / MEASURED).exists()
    metrics = json.loads((tmp_path / METRICS).read_text())
    assert metrics["metrics"] == metrics["rankings"] == {}


def test_measured_model_speaks_the_words_of_its_version(small_file: Path, tmp_path: Path) -> None:
    options = ["--data", str(small_file), "--out", str(tmp_path), "--item", "product", *FAST["mlp"]]
    assert main(options) == 0
    assert load_artifact(tmp_path / MEASURED).words == load_artifact(tmp_path / ARTIFACT).words
    assert load_artifact(tmp_path / MEASURED).words.item == "product"


def test_rankings_can_be_left_out(small_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(small_file), "--out", str(tmp_path), "--ranking-users", "0", *FAST["default"]]) == 0
    assert json.loads((tmp_path / METRICS).read_text())["rankings"] == {}
    assert "most_popular" not in capsys.readouterr().out
    assert "Rankings" not in (tmp_path / MODEL_CARD).read_text()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_run_leaves_no_files(demo: Path, tmp_path: Path, sent: signal.Signals) -> None:
    default = ["env", "--default-signal=INT"]  # a background job ignores it
    command = [*default, sys.executable, "-m", "train", "--data", str(demo), "--out", str(tmp_path)]
    process = subprocess.Popen(
        [*command, "--factors.max-sweeps", "100000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert any("73,327 ratings" in line for line in process.stdout)
    time.sleep(0.5)
    for _ in range(10):  # as a person does who sees nothing happen
        os.kill(process.pid, sent)
        try:
            _, stderr = process.communicate(timeout=30)
            break
        except subprocess.TimeoutExpired:
            continue
    else:
        process.kill()
        pytest.fail(f"it went on after {sent.name}: {process.communicate()[1]}")
    assert process.returncode != 0
    assert "Traceback" not in stderr
    assert list(tmp_path.iterdir()) == []


def test_training_never_replaces_a_version(demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ARTIFACT).write_bytes(b"the old one")
    assert main(["--data", str(demo), "--out", str(tmp_path)]) == 2
    assert "already exists, and a version is never replaced: give another --out" in capsys.readouterr().err
    assert (tmp_path / ARTIFACT).read_bytes() == b"the old one"


def test_bad_data_is_one_line_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rates.csv").write_text("user,movie,rate,time\n1,2,3,0\n1,2,abc,0\n")
    assert main(["--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err == 'train: rates.csv:3: rate "abc" is not a number\n'
    assert not (tmp_path / "out").exists()
