"""Load during a failure, and its outcome: each answer is compared with the in-process rating."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import numpy as np
import pytest
import yaml

from bench.open_loop import Answers, drive
from tests.e2e import plain_http
from tests.e2e.project import ROOT, Project
from tests.e2e.test_serving import in_process
from tests.waiting import wait_until

# Requests that a worker takes at once.
BATCH: int = yaml.safe_load((ROOT / "handler" / "model-config.yaml").read_text())["batchSize"]
needs_load = pytest.mark.skipif(
    not (shutil.which("wrk") and shutil.which("cc")), reason="the load needs wrk and a C compiler"
)


class Asked:
    """Bodies that each ask for one pair, with the expected ratings of a version."""

    def __init__(self, project: Project, version: str = "1.0") -> None:
        self.url = f"{project.settings.inference}/predictions/ncf"
        described = project.client.describe()["example"]
        pairs = [{"user_id": described["user_id"] + i, "movie_id": described["movie_ids"][i % 3]} for i in range(60)]
        self.bodies = [json.dumps(pair).encode() for pair in pairs]
        self.ratings = in_process(project, pairs, version)

    @contextmanager
    def load(self, rate_per_s: float, seconds: float, connections: int = 32) -> Iterator[Future[Answers]]:
        """Sends requests during the block; the result has all outcomes. Clients wait long enough for every answer."""
        with ThreadPoolExecutor(1) as pool:
            yield pool.submit(
                lambda: drive(self.url, self.bodies, rate_per_s, seconds, connections, timeout_s=120, keep=True)
            )

    def wrong(self, answers: Answers) -> int:
        """How many answers have another rating than the version's."""
        answered = np.flatnonzero(answers.status == 200).tolist()
        got = [json.loads(answers.responses[place].split(b"\r\n\r\n", 1)[1])["rating"] for place in answered]
        expected = [self.ratings[answers.request[place]] for place in answered]
        return sum(one != pytest.approx(other, abs=1e-5) for one, other in zip(got, expected, strict=True))


def workers(project: Project, version: str = "1.0") -> dict[str, dict[str, Any]]:
    """The front end's description of a version's workers, by their ids."""
    found = [one["workers"] for one in project.client.versions() if one["version"] == version]
    return {worker["id"]: worker for worker in found[0]}


def answers(project: Project) -> bool:
    """Whether a request is answered now."""
    try:
        return project.ask({"user_id": 1, "movie_id": 2}).status_code == 200
    except httpx.HTTPError:
        return False


def scale(project: Project, number: int, version: str = "1.0") -> None:
    """Sets the number of a version's workers, and waits until they are ready."""
    query = f"min_worker={number}&max_worker={number}&synchronous=true"
    answer = plain_http.put(f"{project.settings.management}/models/ncf/{version}?{query}")
    assert answer.status_code == 200
    wait_until(lambda: [one["status"] for one in workers(project, version).values()] == ["READY"] * number, "workers")


@contextmanager
def stopped_worker(project: Project, version: str) -> Iterator[None]:
    """Gives a version a single worker, which is stopped during the block."""
    scale(project, 1, version)
    [worker] = workers(project, version).values()
    os.kill(worker["pid"], signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(worker["pid"], signal.SIGCONT)
