"""Several processes of one machine write the folder that one process writes, and end together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from tests.train.prepared.folders import RULES, bytes_of
from train.errors import DataError
from train.prepared.__main__ import main
from train.prepared.prepare import prepare
from train.prepared.processes import launcher_of_processes
from train.readers.options import ReaderOptions

ROOT = Path(__file__).parents[3]
DEADLINE_S = 60
SLEEPS = """
import os, time
from tests.train.prepared.test_processes import own_id
from train.prepared.processes import launcher_of_processes
if __name__ == "__main__":
    with launcher_of_processes(2) as launch:
        print(*launch(own_id, [0, 1, 2, 3], str), flush=True)
        list(launch(time.sleep, [600, 600], str))
"""


def own_id(_: int) -> int:
    time.sleep(0.2)  # so that one process does not do all
    return os.getpid()


def kill_own(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture(scope="module")
def ratings(frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files, of which the first has several blocks."""
    folder = tmp_path_factory.mktemp("ratings")
    pd.concat([frame] * 10).to_csv(folder / "0.csv", index=False)
    frame.to_csv(folder / "1.csv", index=False)
    frame.to_csv(folder / "2.csv", index=False)
    return folder


def test_two_processes_write_the_same_folder(ratings: Path, tmp_path: Path) -> None:
    prepare(ratings, RULES, None, tmp_path / "one", show=False)
    with launcher_of_processes(2) as launch:
        prepare(ratings, ReaderOptions(), None, tmp_path / "two", show=False, launch=launch, block_bytes=100_000)
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")


def test_a_fault_in_another_process_is_told_with_its_line(ratings: Path, tmp_path: Path) -> None:
    (ratings / "3.csv").write_text("user_id,movie_id,rating,time\n1,2,3,4\nx,2,3,4\n")
    words = ["--data", str(ratings), "--out", str(tmp_path / "out"), "--processes", "2"]
    command = [sys.executable, "-m", "train.prepared", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=DEADLINE_S)
    (ratings / "3.csv").unlink()
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith('prepare: 3.csv:3: user_id "x" is not an integer')
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_killed_process_is_one_line() -> None:
    with launcher_of_processes(2) as launch, pytest.raises(DataError, match=r"^a process was killed, as a lack of mem"):
        list(launch(kill_own, [0, 1], str))


def test_a_number_of_processes_below_zero_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path), "--out", str(tmp_path / "out"), "--processes", "-1"]) == 2
    assert capsys.readouterr().err == "prepare: --processes: got -1, allowed: 0 or more\n"


def test_the_processes_end_with_the_one_that_started_them() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SLEEPS], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as parent:
        assert parent.stdout is not None
        found = {int(one) for one in parent.stdout.readline().split()}
        parent.kill()
    assert found
    deadline = time.monotonic() + DEADLINE_S
    while any(is_running(one) for one in found):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
