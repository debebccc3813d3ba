"""A version's workers: waiting until they are ready, and until they have answered all that they were asked.

TorchServe deletes a version at once: what waits in its queue, or is in a worker's hands, is never answered, and its
clients wait for ever. The queue is first in, first out, and a worker takes a describe when its batch is done. So once
every worker has answered a describe that was sent after the version got its last request, all earlier requests have
been answered. TorchServe's own figure, pendingRequests, leaves out those in the workers' hands.
"""

from __future__ import annotations

import time
from collections import defaultdict

from ops.client import Client, ClientError

# A worker that takes longer than responseTimeout (30 s) is ended by TorchServe, which tells its clients.
DRAIN_TIMEOUT_S = 60.0
READY_TIMEOUT_S = 180.0
# A worker that ends while loading is started again and again; this many starts are no accident.
_STARTS = 3


class WorkerError(RuntimeError):
    """A version's workers are not as they must be; the message says which and why."""


def wait_until_ready(client: Client, version: str, timeout_s: float = READY_TIMEOUT_S) -> None:
    """Returns once every worker of a registered version is ready.

    Raises:
        WorkerError: it has none, they end while loading, or the time is up.
    """
    deadline = time.monotonic() + timeout_s
    starts: defaultdict[str, set[int]] = defaultdict(set)
    while True:
        workers = client.workers(version)
        if not workers:
            raise WorkerError("it has no worker")
        if all(worker["status"] == "READY" for worker in workers):
            return
        for worker in workers:
            starts[worker["id"]] |= {worker["pid"]} - {0, -1}
        if any(len(pids) >= _STARTS for pids in starts.values()):
            raise WorkerError(f"a worker ended {_STARTS - 1} times while loading")
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
