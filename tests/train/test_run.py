"""A whole run on the embedded data set, and what an interrupted one leaves behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from model.artifact import load_artifact
from train.__main__ import main, parse_config
from train.config import PRESETS, TrainConfig
from train.demo import write_demo
from train.output import ARTIFACT, CHECKPOINT, METRICS

FAST = ["--epochs", "2", "--batch-size", "4096"]
OUTPUTS = {ARTIFACT, CHECKPOINT, METRICS, "learning_curve.png", "rating_histogram.png"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "demo"
    write_demo(folder)
    return folder


def test_a_run_writes_everything_and_reports_beside_the_baselines(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data", str(demo), "--out", str(tmp_path / "1.0"), "--version", "1.0", *FAST]) == 0
    assert {path.name for path in (tmp_path / "1.0").iterdir()} == OUTPUTS
    metrics = json.loads((tmp_path / "1.0" / METRICS).read_text())
    known = metrics["metrics"]["known"]
    assert set(known) == {"network", "global_mean", "movie_mean", "shrunken_bias"}
    assert known["network"]["mse"] < known["global_mean"]["mse"]
    assert known["network"]["rmse"] == pytest.approx(known["network"]["mse"] ** 0.5)
    assert metrics["rows_per_s"] > 0
    assert metrics["split"] == {"seed": 1234, "test_size": 0.2, "served": "all"}
    assert "shrunken_bias" in capsys.readouterr().out

    artifact = load_artifact(tmp_path / "1.0" / ARTIFACT)
    assert artifact.metadata["digest"] == metrics["digest"]
    assert len(artifact.user_ids) == 4000  # all raters, the held-out ones included
    assert artifact.metadata["num_ratings"] == 73_327
    assert set(artifact.catalogue.columns) >= {"title", "genres", "year"}
    state = load_file(tmp_path / "1.0" / CHECKPOINT)
    assert np.array_equal(state["user_embedding.weight"], artifact.network.state_dict()["user_embedding.weight"])


def test_the_same_seed_gives_the_same_digest(demo: Path, tmp_path: Path) -> None:
    digests = []
    for name, seed in (("a", "3"), ("b", "3"), ("c", "4")):
        assert main(["--data", str(demo), "--out", str(tmp_path / name), "--seed", seed, *FAST]) == 0
        digests.append(json.loads((tmp_path / name / METRICS).read_text())["digest"])
    assert digests[0] == digests[1] != digests[2]


def test_without_a_holdout_everything_is_trained_on_and_nothing_reported(demo: Path, tmp_path: Path) -> None:
    assert main(["--data", str(demo), "--out", str(tmp_path), "--test-size", "0", *FAST]) == 0
    assert json.loads((tmp_path / METRICS).read_text())["metrics"] == {}


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_run_leaves_the_old_artifact_and_no_broken_one(
    demo: Path, tmp_path: Path, sent: signal.Signals
) -> None:
    (tmp_path / ARTIFACT).write_bytes(b"the old one")
    command = [sys.executable, "-m", "train", "--data", str(demo), "--out", str(tmp_path), "--patience", "0"]
    process = subprocess.Popen(
        [*command, "--epochs", "1000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert "73,327 ratings" in process.stdout.readline()
    time.sleep(0.5)
    os.kill(process.pid, sent)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "Traceback" not in stderr
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {ARTIFACT: b"the old one"}


def test_bad_data_is_one_line_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rates.csv").write_text("user,movie,rate,time\n1,2,3,0\n1,2,abc,0\n")
    assert main(["--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err == 'train: rates.csv:3: rate "abc" is not a number\n'
    assert not (tmp_path / "out").exists()


def test_presets_are_overridden_by_options() -> None:
    assert parse_config(["--preset", "reference"]) == PRESETS["reference"]
    config = parse_config(["--preset", "reference", "--batch-size", "16", "--hidden-dims", "8", "4"])
    assert (config.batch_size, config.hidden_dims, config.epochs) == (16, (8, 4), 3)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("epochs", 0),
        ("batch_size", 0),
        ("embedding_dim", 0),
        ("hidden_dims", ()),
        ("hidden_dims", (8, 0)),
        ("dropout", 1.0),
        ("embedding_dropout", -0.1),
        ("learning_rate", 0.0),
        ("weight_decay", -1.0),
        ("patience", -1),
        ("test_size", 1.0),
        ("inner_size", 0.0),
        ("rating_scale", (5.0, 5.0)),
    ],
)
def test_every_option_is_checked(option: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{option.replace('_', '-')}: got .*, allowed: "):
        TrainConfig(**{option: value})  # type: ignore[arg-type]


@pytest.mark.skipif("KMRD_DIR" not in os.environ, reason="KMRD_DIR is not set")
@pytest.mark.parametrize("preset", ["default", "reference"])
def test_kmrd_is_predicted_as_well_as_promised(preset: str, tmp_path: Path) -> None:
    options = ["--preset", preset, "--data", os.environ["KMRD_DIR"], "--out", str(tmp_path)]
    assert main(options) == 0
    groups = json.loads((tmp_path / METRICS).read_text())["metrics"]
    assert groups["known"]["network"]["mse"] <= 3.54
    assert groups["known"]["network"]["rows"] == 20_256
    assert groups["known"]["shrunken_bias"]["mse"] == pytest.approx(3.2175, abs=1e-3)
    assert groups["known"]["global_mean"]["mse"] == pytest.approx(4.419, abs=1e-3)
    assert groups["all"]["network"]["rows"] == 28_142
    assert groups["new_user"]["network"]["rows"] == 7_883
    assert groups["new_user"]["network"]["mse"] < groups["new_user"]["global_mean"]["mse"]
