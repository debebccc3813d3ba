"""Training on a Ray cluster of this machine and by torchrun: the same model as in one process, whatever is lost.

The latest ratings are held out, because the processes have to agree on which these are. There are events, which only
the first process reads.
"""

import json
import os
import re
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from model.artifact import load_artifact
from tests.waiting import wait_until
from train.__main__ import parse_options
from train.cluster import installed
from train.cluster.__main__ import main
from train.parts.config import PartsConfig
from train.parts.group import Group
from train.parts.run import run
from train.prepared.prepare import prepare
from train.readers import ReadingRules

ROOT = Path(__file__).parents[3]
FILES = 40
DEADLINE_S = 1800
needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="needs the group cluster")


@pytest.fixture(scope="module")
def options(quick_options: list[str], tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    # Sweeps enough of the score block that a node is killed among them; nothing else is chosen.
    few = ["--factors.score-sweeps", "40", "--interest.rating-shares", "0.3", "--interest.restraints", "0.5"]
    clicks = tmp_path_factory.mktemp("clicks") / "clicks.csv"
    pd.DataFrame({"user_id": 7 * np.arange(400), "movie_id": 1_000 + np.arange(400) % 50}).to_csv(clicks, index=False)
    more = ["--no-refit", "--ranking-users", "0", "--split", "time", "--events", os.path.relpath(clicks, ROOT)]
    return [*quick_options, *few, *more]


@pytest.fixture(scope="module")
def ratings(small_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ratings of a few days."""
    frame = pd.read_csv(small_file)
    path = tmp_path_factory.mktemp("by-day") / "ratings.csv"
    frame.assign(timestamp=86_400 * (np.arange(len(frame)) % 11)).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def alone(ratings: Path, options: list[str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of a training in one process."""
    out = tmp_path_factory.mktemp("alone")
    config = parse_options(["--data", str(ratings), "--out", str(out), *options], PartsConfig)
    return str(run(config, Group())["digest"])


def test_three_processes_of_torchrun_train_the_same_model(
    ratings: Path, options: list[str], alone: str, tmp_path: Path
) -> None:
    words = ["--data", str(ratings), "--out", str(tmp_path / "1.0"), *options]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "3"]
    done = subprocess.run(
        [*torchrun, "-m", "train.parts", *words], cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE_S
    )
    assert done.returncode == 0, done.stderr
    assert load_artifact(tmp_path / "1.0" / "ncf.pt").metadata["digest"] == alone


def test_after_a_killed_torchrun_nothing_runs_and_a_resumed_run_trains_the_same_model(
    ratings: Path, options: list[str], alone: str, tmp_path: Path
) -> None:
    words = ["-m", "train.parts", "--data", str(ratings), "--out", str(tmp_path / "1.0"), *options]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    running = subprocess.Popen([*torchrun, *words], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until((tmp_path / "1.0" / ".resume" / "train-rating-block.safetensors").exists, "a kept sweep")
    processes = psutil.Process(running.pid).children(recursive=True)
    running.kill()
    running.wait()
    wait_until(lambda: not any(map(psutil.Process.is_running, processes)), "the end of its processes")
    assert not (tmp_path / "1.0" / "ncf.pt").exists()
    done = subprocess.run([sys.executable, *words, "--resume"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "resume: going on after train: rating block" in done.stderr
    assert load_artifact(tmp_path / "1.0" / "ncf.pt").metadata["digest"] == alone


@needs_ray
def test_a_cluster_that_loses_a_process_and_a_node_trains_the_same_model(
    ratings: Path, options: list[str], alone: str, tmp_path: Path
) -> None:
    """Takes a minute or two: three nodes of Ray start, and three times the processes of a training load torch."""
    script = Path(__file__).with_name("losing_a_node.py")
    cut_into_files(ratings, tmp_path / "files")
    prepare(ratings, ReadingRules(), None, tmp_path / "prepared", show=False)
    places = [os.path.relpath(one, ROOT) for one in (tmp_path / "files", tmp_path / "prepared", tmp_path)]
    done = subprocess.run(
        [sys.executable, str(script), *places, *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    status, said = told["missing"]
    assert status == 2
    assert "train: 9 processes did not start within 1 s" in said.splitlines()[-1]
    assert "the cluster has 3 cores: add nodes" in said.splitlines()[-1]
    assert told["status"] == 0, told["said"]
    assert re.search(r"train: (\d+\.csv|part \d+) was lost and is made again", told["said"])
    assert "train: a process was lost; " in told["said"]
    assert "go on after the last sweep that was kept" in told["said"]
    assert load_artifact(tmp_path / "lost" / "ncf.pt").metadata["digest"] == alone


def cut_into_files(ratings: Path, folder: Path) -> None:
    """Writes the same ratings, shuffled, into many files."""
    folder.mkdir()
    frame = pd.read_csv(ratings).sample(frac=1, random_state=1)
    for number in range(FILES):
        frame[number::FILES].to_csv(folder / f"{number:02d}.csv", index=False)


def test_help_lists_the_options_of_a_cluster_without_ray(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    told = capfd.readouterr().out
    assert all(option in told for option in ("--cluster", "--processes", "--deadline", "--factors.factors"))


def test_without_ray_the_command_that_installs_it_is_said(
    small_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installed, "find_spec", lambda _: None)
    assert main(["--cluster", "auto", "--data", str(small_file), "--out", str(tmp_path / "1.0")]) == 2
    told = "train: CLUSTER: Ray is not installed: `.venv/bin/python -m pip install -c constraints.txt --group cluster`"
    assert capsys.readouterr().err == f"{told} installs it\n"
    assert not (tmp_path / "1.0").exists()


@needs_ray
def test_no_cluster_is_said_in_one_line(tmp_path: Path) -> None:
    words = ["--cluster", "127.0.0.1:9", "--data", "build/demo", "--out", str(tmp_path / "1.0")]
    done = subprocess.run(
        [sys.executable, "-m", "train.cluster", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("train: CLUSTER: no Ray cluster at 127.0.0.1:9")


@needs_ray
def test_a_port_that_is_no_head_is_said_in_one_line_and_not_waited_for_without_end(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:  # the system takes connections, and nobody answers
        address = f"127.0.0.1:{server.getsockname()[1]}"
        words = ["--cluster", address, "--data", "build/demo", "--out", str(tmp_path / "1.0")]
        impatient = "import sys; from train.cluster import connect, __main__; connect._CONNECT_S = 3.0; "
        done = subprocess.run(
            [sys.executable, "-c", f"{impatient} sys.exit(__main__.main(sys.argv[1:]))", *words],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
        )
    assert done.returncode == 2
    told = f"train: CLUSTER: no Ray cluster at {address} within 3 s; something answers there: give the head's port"
    assert done.stderr.splitlines()[-1].startswith(told)
    assert not (tmp_path / "1.0").exists()
