"""Two processes against one, and that one process pays nothing for them."""

import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from train import distributed
from train.__main__ import main, parse_config
from train.dataset.demo import write_demo
from train.output import METRICS

QUICK = {
    "default": [
        "--factors.probe-sweeps",
        "3",
        "--factors.max-sweeps",
        "4",
        "--factors.score-sweeps",
        "4",
        "--factors.epochs",
        "2",
        "--factors.factors",
        "4",
    ],
    "mlp": ["--preset", "mlp", "--mlp.epochs", "2", "--mlp.batch-size", "4096"],
}
TWO = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "train"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "demo"
    write_demo(folder)
    return folder


def metrics(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / METRICS).read_text())
    return found


@pytest.mark.parametrize("preset", sorted(QUICK))
def test_two_processes_fit_the_same_model_as_one(demo: Path, tmp_path: Path, preset: str) -> None:
    options = ["--data", str(demo), "--no-refit", "--ranking-users", "0", *QUICK[preset]]
    assert main([*options, "--out", str(tmp_path / "one")]) == 0
    done = subprocess.run([*TWO, *options, "--out", str(tmp_path / "two")], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("wrote ") == 1  # one of them prints and writes
    one, two = metrics(tmp_path / "one"), metrics(tmp_path / "two")
    assert (one["processes"], two["processes"]) == (1, 2)
    assert one["chosen"] == two["chosen"]
    for group, predictors in one["metrics"].items():
        assert two["metrics"][group]["network"]["mse"] == pytest.approx(predictors["network"]["mse"], rel=0.01)


def test_only_one_of_two_processes_prints_the_error() -> None:
    options = ["--data", "missing.csv", "--out", "build/of-two"]
    done = subprocess.run([*TWO, *options], capture_output=True, text=True, timeout=600)
    assert done.returncode != 0
    assert done.stderr.count("train: missing.csv: no such file or folder\n") == 1


@pytest.mark.parametrize(("process", "times"), [("0", 1), ("1", 0)])
def test_only_the_first_process_prints_what_is_wrong_with_the_options(
    process: str, times: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOCAL_RANK", process)
    with pytest.raises(SystemExit):
        parse_config(["--no-such-option"])
    told = capfd.readouterr()
    assert (told.out + told.err).count("Unrecognized options: --no-such-option") == times


def test_no_thread_of_the_group_outlives_it() -> None:
    """One that does may end the process by abort, on its way out."""
    code = """
from pathlib import Path
from train import distributed
import torch.distributed as dist, torch
dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
names = lambda: [task.joinpath("comm").read_text().strip() for task in Path("/proc/self/task").iterdir()]
torch.optim.Adam([torch.zeros(1)])
assert "pt_gloo_runloop" in names(), names()
distributed.stop()
assert "pt_gloo_runloop" not in names(), names()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr


def test_one_process_changes_nothing() -> None:
    rows = torch.arange(5)
    assert (distributed.rank(), distributed.world(), distributed.quiet()) == (0, 1, None)
    assert distributed.bounds(rows, 20) == [0, 5]
    for same in (distributed.share(rows), distributed.gather_rows(rows, [0, 5]), distributed.reduce_sum(rows)):
        assert same is rows


def test_shares_have_equal_ratings_and_cover_all_entities(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed, "world", lambda: 3)
    count = torch.tensor([900] + [10] * 180)
    ends = distributed.bounds(count.cumsum(0) - count, int(count.sum()))
    assert ends[0] == 0
    assert ends[-1] == 181
    assert ends == sorted(ends)
    shares = [int(count[first:last].sum()) + 8 * (last - first) for first, last in itertools.pairwise(ends)]
    assert sum(shares) == int(count.sum()) + 8 * 181
    assert max(shares) < 1.1 * sum(shares) / 3


def test_more_processes_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """NCCL would refuse them with an error of its own, after a while."""
    for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"):
        monkeypatch.setenv(name, "2")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(ValueError, match="PROCESSES: got 2 processes for the GPUs of this host, allowed: 1"):
        distributed.start()
