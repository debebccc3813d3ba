"""Waits for a version's workers: until they are ready, or until they have answered every request.

TorchServe deletes a version at once. Requests in its queue or in a worker are then never answered, and their clients
wait forever. The queue is first in, first out, and a worker answers a describe request when its batch is done. So once
every worker has answered a describe that was sent after the version's last request, all requests have been answered.
TorchServe's own figure, pendingRequests, does not count the requests in the workers.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from ops.client import Client, ClientError

# TorchServe ends a worker that takes longer than responseTimeout (30 s), and answers its clients with an error.
DRAIN_TIMEOUT_S = 60.0
READY_TIMEOUT_S = 180.0
# TorchServe restarts a worker that ends while it loads. After this many starts, we assume that it cannot load.
_STARTS = 3


class WorkerError(RuntimeError):
    """A version's workers are missing, fail or do not answer; the message says which and why."""


class Starts:
    """Counts how often each worker of a version was started, by its PIDs."""

    def __init__(self) -> None:
        self._pids: defaultdict[str, set[int]] = defaultdict(set)

    def keep_failing(self, workers: Sequence[Mapping[str, Any]]) -> bool:
        """Whether one of these workers, as TorchServe lists them now, has ended repeatedly since the first call."""
        for worker in workers:
            self._pids[worker["id"]] |= {worker["pid"]} - {0, -1}
        return any(len(pids) >= _STARTS for pids in self._pids.values())


def wait_until_ready(client: Client, version: str, timeout_s: float = READY_TIMEOUT_S) -> None:
    """Returns once every worker of a registered version is ready.

    Raises:
        WorkerError: the version has no workers, a worker ends repeatedly while it loads, or the time is up.
    """
    deadline = time.monotonic() + timeout_s
    starts = Starts()
    while True:
        workers = client.workers(version)
        if not workers:
            raise WorkerError("it has no worker")
        if all(worker["status"] == "READY" for worker in workers):
            return
        if starts.keep_failing(workers):
            raise WorkerError(f"a worker ended {_STARTS - 1} times while loading; logs/ts.log says why")
        if time.monotonic() > deadline:
            raise WorkerError(f"its workers were not ready after {timeout_s:.0f} s")
        time.sleep(0.1)


def drain(client: Client, version: str, timeout_s: float = DRAIN_TIMEOUT_S) -> None:
    """Returns once every ready worker has answered all requests that were sent before the call.

    Raises:
        WorkerError: the time is up.
    """
    deadline = time.monotonic() + timeout_s
    done: set[int] = set()
    while waiting := {worker["pid"] for worker in client.workers(version) if worker["status"] == "READY"} - done:
        if time.monotonic() > deadline:
            raise WorkerError(f"worker {min(waiting)} has not answered all requests within {timeout_s:.0f} s")
        try:
            done.add(client.describe(version).get("worker_pid", 0))
        except ClientError:
            time.sleep(0.1)  # a worker has ended; the next list of the workers shows it
