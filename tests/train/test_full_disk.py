"""A full disk is said in one line, and leaves what was there. A tiny file system in memory stands for the disk."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from model.artifact import Artifact, save_artifact
from train.__main__ import main as train
from train.dataset.demo import write_demo
from train.output import METRICS
from train.package import main as package
from train.parts.__main__ import main as train_by_parts

QUICK = (
    "--factors.probe-sweeps",
    "1",
    "--factors.max-sweeps",
    "1",
    "--factors.score-sweeps",
    "1",
    "--factors.epochs",
    "1",
)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with a quarter of a MiB of room."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)  # this process may still map a file of it


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def digest(folder: Path) -> str:
    found: str = json.loads((folder / METRICS).read_text())["digest"]
    return found


def assert_told(capfd: pytest.CaptureFixture[str], command: str) -> None:
    """The last line says what is wrong."""
    said = capfd.readouterr().err
    assert said.splitlines()[-1].startswith(f"{command}: ")
    assert "No space left on device" in said.splitlines()[-1]
    assert "Traceback" not in said


def test_a_training_that_fills_the_disk_says_so_and_leaves_no_artifact(
    disk: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_demo(tmp_path / "demo")
    (disk / "filler").write_bytes(os.urandom(100_000))
    assert train(["--data", str(tmp_path / "demo"), "--out", str(disk), *QUICK]) == 2
    assert_told(capfd, "train")
    assert "ncf.pt" not in files(disk)


def test_a_training_by_parts_that_fills_the_disk_resumes_once_there_is_room(
    disk: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_demo(tmp_path / "demo")
    words = ["--data", str(tmp_path / "demo"), *QUICK, "--no-refit", "--ranking-users", "50", "--out"]
    assert train_by_parts([*words, str(disk / "1.0")]) == 2
    assert_told(capfd, "train")
    assert not any(name.endswith((".pt", ".parquet", ".partial")) for name in files(disk))
    subprocess.run(["mount", "-o", "remount,size=100m", str(disk)], check=True)
    assert train_by_parts([*words, str(disk / "1.0"), "--resume"]) == 0
    assert train_by_parts([*words, str(tmp_path / "1.0")]) == 0
    assert digest(disk / "1.0") == digest(tmp_path / "1.0")


def test_packing_onto_a_full_disk_says_so_and_leaves_no_archive(
    artifact: Artifact, disk: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    save_artifact(artifact, tmp_path / "ncf.pt")
    (disk / "filler").write_bytes(os.urandom(200_000))
    assert package(["--artifact", str(tmp_path / "ncf.pt"), "--store", str(disk)]) == 2
    said = capfd.readouterr().err
    assert said.startswith("package: ")
    assert "No space left on device" in said
    assert len(said.splitlines()) == 1
    assert files(disk) == {"filler"}
