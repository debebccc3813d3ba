"""A full disk is said in one line, and leaves what was there. A tiny file system in memory stands for the disk."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from model.artifact import Artifact, save_artifact
from train.dataset.demo import write_demo

ROOT = Path(__file__).parents[2]
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
    subprocess.run(["umount", str(folder)], check=True)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def digest(done: subprocess.CompletedProcess[str]) -> str:
    return done.stdout.rpartition("digest ")[2].strip()


def test_a_training_that_fills_the_disk_says_so_and_leaves_no_artifact(disk: Path, tmp_path: Path) -> None:
    write_demo(tmp_path / "demo")
    (disk / "filler").write_bytes(os.urandom(100_000))
    done = run("train", "--data", str(tmp_path / "demo"), "--out", str(disk), *QUICK)
    assert done.returncode == 2
    assert "No space left on device" in done.stderr.splitlines()[-1]
    assert done.stderr.splitlines()[-1].startswith("train: ")
    assert "Traceback" not in done.stderr
    assert "ncf.pt" not in files(disk)


def test_a_training_by_parts_that_fills_the_disk_resumes_once_there_is_room(disk: Path, tmp_path: Path) -> None:
    write_demo(tmp_path / "demo")
    command = ("train.parts", "--data", str(tmp_path / "demo"), *QUICK, "--no-refit", "--ranking-users", "50", "--out")
    full = run(*command, str(disk / "1.0"))
    assert full.returncode == 2
    assert full.stderr.splitlines()[-1].startswith("train: ")
    assert "No space left on device" in full.stderr.splitlines()[-1]
    assert not any(name.endswith((".pt", ".parquet", ".partial")) for name in files(disk))
    subprocess.run(["mount", "-o", "remount,size=100m", str(disk)], check=True)
    resumed = run(*command, str(disk / "1.0"), "--resume")
    undisturbed = run(*command, str(tmp_path / "1.0"))
    assert resumed.returncode == undisturbed.returncode == 0, resumed.stderr + undisturbed.stderr
    assert digest(resumed) == digest(undisturbed)


def test_packing_onto_a_full_disk_says_so_and_leaves_no_archive(artifact: Artifact, disk: Path, tmp_path: Path) -> None:
    save_artifact(artifact, tmp_path / "ncf.pt")
    (disk / "filler").write_bytes(os.urandom(200_000))
    done = run("train.package", "--artifact", str(tmp_path / "ncf.pt"), "--store", str(disk))
    assert done.returncode == 2
    assert done.stderr.startswith("package: ")
    assert "No space left on device" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert files(disk) == {"filler"}
