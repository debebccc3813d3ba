"""Scoring on a Ray cluster of this machine: the files of a scoring on one machine, whatever is lost."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from model.artifact import save_artifact
from score.__main__ import main
from score.cluster.__main__ import ClusterConfig
from score.cluster.__main__ import main as main_of_cluster
from score.cluster.loaded import Scoring, part_maker
from score.lists import Wanted
from tests.score.test_lists import drawn_artifact
from train.cluster import installed
from train.errors import DataError

ROOT = Path(__file__).parents[3]
DEADLINE_S = 900
USERS, PART_USERS = 4_000, 20
PARTS = USERS // PART_USERS
KILL_AFTER = (PARTS // 8, PARTS // 4)
needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="needs the group cluster")


@needs_ray
def test_a_cluster_that_loses_a_process_and_a_node_writes_the_files_of_one_machine(tmp_path: Path) -> None:
    save_artifact(drawn_artifact(0, 0.5), tmp_path / "ncf.pt")
    (tmp_path / "users.csv").write_text("user_id\n" + "\n".join(map(str, range(USERS))))
    options = ["--users", str(tmp_path / "users.csv"), "--part-users", str(PART_USERS)]
    alone, together = tmp_path / "alone", tmp_path / "together"
    words = ["--artifact", str(tmp_path / "ncf.pt"), "--out", str(alone), "--processes", "1"]
    assert main([*words, *options]) == 0
    kept = file_of(together, 7)
    kept.parent.mkdir()
    shutil.copy(file_of(alone, 7), kept)
    made = kept.stat()

    relative = [os.path.relpath(path, ROOT) for path in (tmp_path / "ncf.pt", together)]
    script = Path(__file__).with_name("losing_a_node.py")
    done = subprocess.run(
        [sys.executable, str(script), *relative, *(file_of(together, part).name for part in KILL_AFTER), *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["status"] == 0, told["said"]
    assert 0 < told["before"] < PARTS
    assert "was lost and is made again" in told["said"]
    assert f"; 1 part of {PARTS} lay there already" in told["told"]
    assert kept.stat().st_mtime_ns == made.st_mtime_ns
    assert contents(together) == contents(alone)


def test_without_ray_the_command_that_installs_it_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(installed, "find_spec", lambda _: None)
    assert main_of_cluster(["--cluster", "auto"]) == 2
    told = "score: CLUSTER: Ray is not installed: `.venv/bin/python -m pip install -c constraints.txt --group cluster`"
    assert capsys.readouterr().err == f"{told} installs it\n"


def test_a_wrong_deadline_is_refused() -> None:
    with pytest.raises(ValueError, match=r"deadline: got 0\.0, allowed: above 0"):
        ClusterConfig(deadline=0.0).check()


def test_a_node_with_another_artifact_is_refused(tmp_path: Path) -> None:
    save_artifact(drawn_artifact(0, 0.5), tmp_path / "ncf.pt")
    scoring = Scoring(tmp_path / "ncf.pt", "0123456789abcdef0", None, Wanted(10, "blend"))
    with pytest.raises(DataError, match=r"ncf\.pt: got digest [0-9a-f]{16}, allowed: 0123456789abcdef$"):
        part_maker(scoring)


def file_of(folder: Path, part: int) -> Path:
    return folder / f"part-{part:05d}-of-{PARTS:05d}.parquet"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.parquet")}
