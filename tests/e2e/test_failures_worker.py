"""A killed worker, or one whose GPU fails permanently, loses only its current batch and is replaced.

The workers are forks of the warm process, until the last test kills that.
"""

import os
import signal
import time

import numpy as np
import psutil
import pytest

from ops.client import Client
from ops.process import server, state
from tests.e2e.altered import alter
from tests.e2e.conftest import end
from tests.e2e.failing import BATCH, Asked, needs_load, scale, workers
from tests.e2e.project import Project
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

# A predictor whose GPU fails permanently as soon as it is asked for this user.
MAGIC_USER = 666
FAILING = f"""
import torch
_answer = Predictor.answer
def answer(self, asks):
    if any({MAGIC_USER} in (getattr(ask, "user_id", None), *getattr(ask, "user_ids", ())) for ask in asks):
        raise torch.AcceleratorError("CUDA error: device-side assert triggered")
    return _answer(self, asks)
Predictor.answer = answer
"""


@needs_load
@pytest.mark.parametrize("number", [2, 1])
def test_killed_worker_loses_only_its_current_batch(breaking: Project, number: int) -> None:
    scale(breaking, number)
    asked = Asked(breaking)
    [victim, *_] = workers(breaking).values()
    with asked.load(rate_per_s=300, seconds=3) as load:
        time.sleep(1)
        killed = time.monotonic()
        os.kill(victim["pid"], signal.SIGKILL)
        answers = load.result()
    ended = answers.started + answers.intended_s + answers.latency_s
    failed = answers.status != 200
    assert np.count_nonzero(failed) <= BATCH
    # Clients get an error, except for the batch that TorchServe was filling: it loses that one (0).
    assert set(answers.status[failed].tolist()) <= {0, 500, 507}
    assert (ended[failed] > killed).all()
    assert asked.wrong(answers) == 0
    wait_until(lambda: all(one["status"] == "READY" for one in workers(breaking).values()), "a new worker")
    assert victim["pid"] not in [one["pid"] for one in workers(breaking).values()]


def test_permanent_gpu_error_replaces_the_worker(breaking: Project) -> None:
    store = breaking.settings.model_store
    alter(
        store / "ncf-1.0.mar",
        store / "ncf-6.6.mar",
        "6.6",
        lambda name, data: data + FAILING.encode() if name == "model/predictor.py" else data,
    )
    Client(breaking.settings).register("6.6", workers=1)
    try:
        wait_until(lambda: breaking.client.is_ready("6.6"), "version 6.6")
        [before] = workers(breaking, "6.6").values()
        assert breaking.ask({"user_id": 1, "movie_id": 2}, "6.6").status_code == 200
        failed = breaking.ask({"user_id": MAGIC_USER, "movie_id": 2}, "6.6")
        assert (failed.status_code, failed.json()["message"]) == (500, "Worker died.")
        assert (
            breaking.ask({"user_id": 1, "movie_id": 2}).status_code == 200
        )  # the workers of the other version still run
        assert breaking.ask({"user_id": 1, "movie_id": 2}, "6.6").status_code == 200  # waits for the new worker
        [after] = workers(breaking, "6.6").values()
        assert after["pid"] != before["pid"]
        log = breaking.folder / "logs" / "console.log"
        wait_until(lambda: "the accelerator failed, the worker ends itself" in log.read_text(), "the line in the log")
    finally:
        breaking.client.unregister("6.6")


def command_of(pid: int) -> str:
    return " ".join(psutil.Process(pid).cmdline())


def ready_pids(project: Project) -> set[int]:
    return {one["pid"] for one in workers(project).values() if one["status"] == "READY"}


def test_without_the_warm_process_workers_go_on_and_new_ones_are_ordinary(breaking: Project) -> None:
    scale(breaking, 2)
    before = {one["pid"] for one in workers(breaking).values()}
    [warm_process] = {psutil.Process(pid).ppid() for pid in before}
    assert "ops/frontend/warm.py" in command_of(warm_process)
    os.kill(warm_process, signal.SIGKILL)
    assert breaking.ask({"user_id": 1, "movie_id": 2}).status_code == 200
    assert {one["pid"] for one in workers(breaking).values()} == before
    os.kill(min(before), signal.SIGKILL)
    wait_until(lambda: ready_pids(breaking) - before, "a new worker")
    [new] = ready_pids(breaking) - before
    assert "ts/model_service_worker.py" in command_of(new)
    assert psutil.Process(new).ppid() == server.running(breaking.settings)


def test_processes_end_by_themselves_after_the_front_end(breaking: Project) -> None:
    end(breaking)
    server.start(breaking.settings)
    server.wait_until_ready(breaking.settings)
    noted = state.read(breaking.settings)
    assert noted is not None
    family = list(state.family(noted["scratch"]))
    assert sum("ops/frontend/warm.py" in " ".join(one.cmdline()) for one in family) == 3  # two workers are forks
    os.kill(noted["pid"], signal.SIGKILL)
    wait_until(lambda: not any(one.is_running() for one in family), "the end of all processes")
