"""A version's workers: waiting until they are ready, and until they have answered all that they were asked.

TorchServe deletes a version at once: what waits in its queue, or is in a worker's hands, is never answered, and its
clients wait for ever. The queue is first in, first out, and a worker takes a describe when its batch is done. So once
every worker has answered a describe that was sent after the version got its last request, all earlier requests have
been answered. TorchServe's own figure, pendingRequests, leaves out those in the workers' hands.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from ops.client import Client, ClientError

# A worker that takes longer than responseTimeout (30 s) is ended by TorchServe, which tells its clients.
DRAIN_TIMEOUT_S = 60.0
READY_TIMEOUT_S = 180.0
# A worker that ends while loading is started again and again; this many starts are no accident.
_STARTS = 3


class WorkerError(RuntimeError):
    """A version's workers are not as they must be; the message says which and why."""


class Starts:
    """How often each worker of a version was started, told by its PIDs."""

    def __init__(self) -> None:
        self._pids: defaultdict[str, set[int]] = defaultdict(set)

    def keep_failing(self, workers: Sequence[Mapping[str, Any]]) -> bool:
        """Whether one of the workers, as TorchServe tells them now, has ended again and again since the first call."""
        for worker in workers:
            self._pids[worker["id"]] |= {worker["pid"]} - {0, -1}
        return any(len(pids) >= _STARTS for pids in self._pids.values())


def wait_until_ready(client: Client, version: str, timeout_s: float = READY_TIMEOUT_S) -> None:
    """Returns once every worker of a registered version is ready.

    Raises:
        WorkerError: it has none, they end while loading, or the time is up.
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
    """Returns once every worker that is ready has answered all that was sent before the call.

    Raises:
        WorkerError: the time is up.
    """
    deadline = time.monotonic() + timeout_s
    done: set[int] = set()
    while waiting := {worker["pid"] for worker in client.workers(version) if worker["status"] == "READY"} - done:
        if time.monotonic() > deadline:
            raise WorkerError(f"worker {min(waiting)} has not answered all within {timeout_s:.0f} s")
        try:
            done.add(client.describe(version).get("worker_pid", 0))
        except ClientError:
            time.sleep(0.1)  # a worker that ended meanwhile, which the next look at the workers tells
