"""Workers on a GPU: the fork of the warm process, one that loses its GPU, two on one card, and `gpu_id`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from model.artifact import load_artifact
from model.predictor import Predictor
from ops.frontend import worker as program
from tests.gpu.conftest import Figures
from tests.warm import Warm, ask

pytest.importorskip("ts", reason="torchserve's Python package is not installed")
pytestmark = pytest.mark.gpu

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("worker.py")
LONGEST_END_S = 120


@contextmanager
def worker(folder: Path, gpu: str, errors: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """An ordinary worker and its report."""
    command = [sys.executable, str(SCRIPT), str(folder), gpu]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *_python_path()])}
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with errors.open("a") as output, subprocess.Popen(command, env=environment, stderr=output, **pipes) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line, errors.read_text()
            yield process, json.loads(line)
        finally:
            process.kill()


def _python_path() -> list[str]:
    return [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]


@pytest.fixture(scope="module")
def asks(paths: dict[str, Path]) -> list[dict[str, Any]]:
    """Some bodies, the last with an unknown user."""
    artifact = load_artifact(paths["factors"])
    users, movies = artifact.user_ids.ids[:4].tolist(), artifact.movie_ids.ids[:4].tolist()
    pairs = [{"user_id": user, "movie_id": movie} for user, movie in zip(users, movies, strict=True)]
    return [*pairs, {"user_id": users[0], "top_k": 3}, {"user_id": 10**9, "movie_id": movies[0]}]


@pytest.fixture(scope="module")
def expected(paths: dict[str, Path], asks: list[dict[str, Any]]) -> list[float]:
    """The ratings of the pairs, on the processor."""
    predictor = Predictor(load_artifact(paths["factors"]))
    return [predictor.rate(one["user_id"], one["movie_id"]).rating for one in asks if "movie_id" in one]


@pytest.fixture
def first_gpu(device: str) -> str:
    return "0" if device == "cuda" else "none"


def name_of(device: str, gpu: str) -> str:
    return f"cuda:{gpu}" if device == "cuda" else "cpu"


def check(answers: str, expected: list[float]) -> None:
    """The answers of a worker to `asks`."""
    told = json.loads(answers)
    assert [status for status, _ in told] == [200] * len(told)
    assert [body["rating"] for _, body in told if "rating" in body] == pytest.approx(expected, abs=1e-5)
    assert len(told[-2][1]["recommendations"]) == 3
    assert told[-1][1]["unknown"] == ["user_id"]


def test_fork_of_the_warm_process_uses_the_gpu(
    tmp_path: Path, paths: dict[str, Path], device: str, first_gpu: str, asks: list[Any], expected: list[float]
) -> None:
    if not program.can_order():
        pytest.skip("this system cannot fork workers")
    warm = Warm(tmp_path, SCRIPT)
    python_path = os.pathsep.join([str(ROOT), *_python_path()])
    try:
        with warm.worker(str(paths["factors"].parent), first_gpu, python_path=python_path) as (process, report):
            assert report["parent"] == warm.process.pid  # it has imported torch, and not used the GPU
            assert report["device"] == name_of(device, first_gpu)
            check(ask(process, json.dumps(asks) + "\n"), expected)
        with warm.worker(str(paths["factors"].parent), first_gpu, python_path=python_path) as (process, _):
            check(ask(process, json.dumps(asks) + "\n"), expected)
    finally:
        warm.end()


def test_worker_that_loses_its_gpu_ends_and_a_new_one_answers(
    tmp_path: Path, paths: dict[str, Path], first_gpu: str, asks: list[Any], expected: list[float]
) -> None:
    folder, errors = paths["factors"].parent, tmp_path / "errors"
    with worker(folder, first_gpu, errors) as (process, _):
        check(ask(process, json.dumps(asks) + "\n"), expected)
        assert ask(process, "break\n") == '"lost"\n'
        assert ask(process, json.dumps(asks) + "\n") == ""
        assert process.wait(LONGEST_END_S) == 1
        assert "the accelerator failed, the worker ends itself" in errors.read_text()
    with worker(folder, first_gpu, errors) as (process, _):
        check(ask(process, json.dumps(asks) + "\n"), expected)


def test_two_workers_share_a_gpu(
    tmp_path: Path,
    paths: dict[str, Path],
    device: str,
    first_gpu: str,
    asks: list[Any],
    expected: list[float],
    figures: Figures,
) -> None:
    folder, errors, free = paths["factors"].parent, tmp_path / "errors", [free_mib(device)]
    with worker(folder, first_gpu, errors) as (one, report):
        free.append(free_mib(device))
        figures("memory of the host that one worker holds", resident_mib(report["pid"]), "MiB")
        with worker(folder, first_gpu, errors) as (other, _):
            free.append(free_mib(device))
            for process in (one, other, one):
                check(ask(process, json.dumps(asks) + "\n"), expected)
    if device == "cuda":
        figures("memory of the GPU that the first worker takes", free[0] - free[1], "MiB")
        figures("memory of the GPU that the second worker takes", free[1] - free[2], "MiB")


def free_mib(device: str) -> float:
    return torch.cuda.mem_get_info(0)[0] / 2**20 if device == "cuda" else 0.0


def resident_mib(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss / 2**20)


@pytest.mark.parametrize("gpu", ["0", "1", "none"])
def test_gpu_id_is_honoured(
    tmp_path: Path, paths: dict[str, Path], device: str, asks: list[Any], expected: list[float], gpu: str
) -> None:
    number = torch.cuda.device_count() if device == "cuda" else 0
    if device == "cuda" and gpu != "none" and int(gpu) >= number:
        pytest.skip(f"GPUs of this machine: {number}")
    if device == "cpu" and torch.cuda.is_available() and gpu != "none":
        pytest.skip("a trial on the processor leaves the GPU alone")
    with worker(paths["factors"].parent, gpu, tmp_path / "errors") as (process, report):
        assert report["device"] == ("cpu" if gpu == "none" else name_of(device, gpu))
        check(ask(process, json.dumps(asks) + "\n"), expected)
