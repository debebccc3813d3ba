"""A killed run goes on, to the result that it would have had."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.waiting import wait_until
from train.__main__ import main
from train.config import TrainConfig
from train.dataset.data import RatingsData
from train.dataset.demo import write_demo
from train.output import METRICS
from train.readers import load_ratings
from train.resume import FOLDER, Stages, fingerprint

# In the order in which they are finished; each is long enough after it for a kill to come between.
STAGES = {
    "default": ["choose", "train-rating-block", "refit-on-all-score-block"],
    "mlp": ["choose-epochs", "refit-on-all-epochs"],
}
OPTIONS = {
    "default": ["--factors.max-sweeps", "8", "--factors.score-sweeps", "8", "--factors.epochs", "1"],
    "mlp": ["--preset", "mlp", "--mlp.epochs", "3", "--mlp.batch-size", "2048"],
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "demo"
    write_demo(folder)
    return folder


def digest(out: Path) -> str:
    found: str = json.loads((out / METRICS).read_text())["digest"]
    return found


def run_until(command: list[str], stage: Path) -> str:
    """Starts the command and kills it once the file `stage` is there; returns what it told."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: stage.exists() or process.poll() is not None, f"{stage.name}", pause_s=0.001)
    assert process.poll() is None, f"it ended before {stage.name}"
    process.kill()
    return process.communicate()[1]


@pytest.mark.parametrize("preset", sorted(OPTIONS))
def test_a_run_killed_several_times_gives_the_digest_of_an_uninterrupted_one(
    demo: Path, tmp_path: Path, preset: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--data", str(demo), "--ranking-users", "0", *OPTIONS[preset]]
    assert main([*options, "--out", str(tmp_path / "whole")]) == 0
    out = tmp_path / "killed"
    resume: list[str] = []
    told = ""
    for stage in STAGES[preset]:
        command = [sys.executable, "-m", "train", *options, "--out", str(out), *resume]
        told += run_until(command, out / FOLDER / f"{stage}.safetensors")
        assert not (out / METRICS).exists()
        resume = ["--resume"]
    capsys.readouterr()
    assert main([*options, "--out", str(out), "--resume"]) == 0
    assert "resume: going on after refit on all" in capsys.readouterr().err
    assert "resume: going on after choose" in told
    assert digest(out) == digest(tmp_path / "whole")
    assert not (out / FOLDER).exists()


@pytest.fixture
def data(tmp_path: Path) -> RatingsData:
    (tmp_path / "ratings.csv").write_text("user_id,movie_id,rating\n1,2,3\n2,2,4\n")
    return load_ratings(tmp_path / "ratings.csv")


def test_a_saved_stage_is_loaded_unchanged(tmp_path: Path) -> None:
    stages = Stages(tmp_path / FOLDER, "same", resume=True)
    stages.save("a: b", {"x": torch.arange(3)}, {"alpha": 0.1})
    stage = stages.load("a: b")
    assert stage is not None
    assert torch.equal(stage.tensors["x"], torch.arange(3))
    assert stage.values == {"alpha": 0.1}
    assert stages.load("another") is None


def test_a_foreign_or_broken_stage_is_reported_and_not_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Stages(tmp_path / FOLDER, "one").save("choose", {}, {})
    stages = Stages(tmp_path / FOLDER, "other", resume=True)
    assert stages.load("choose") is None
    assert "of other options, data or versions, so not used" in capsys.readouterr().err
    (tmp_path / FOLDER / "choose.safetensors").write_bytes(b"half a fi")
    assert stages.load("choose") is None
    assert "cannot be read, so not used" in capsys.readouterr().err


def test_without_resume_a_run_starts_from_the_beginning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Stages(tmp_path / FOLDER, "one").save("choose", {}, {})
    assert Stages(tmp_path / FOLDER, "one").load("choose") is None
    assert not (tmp_path / FOLDER).exists()
    assert not capsys.readouterr().err
    assert Stages(tmp_path / FOLDER, "one", resume=True).load("choose") is None
    assert "the run starts from the beginning" in capsys.readouterr().err


def test_only_what_decides_the_result_is_in_the_fingerprint(data: RatingsData) -> None:
    usual = fingerprint(TrainConfig(), data)
    assert fingerprint(TrainConfig(out=Path("elsewhere"), version="2", resume=True), data) == usual
    assert fingerprint(TrainConfig(seed=1), data) != usual
