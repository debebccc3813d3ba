"""The connection to a Ray cluster, and how many cores it has."""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import ray
from ray.exceptions import RayError

_LOOK_EVERY_S = 1.0
_CONNECT_S = 120.0
_AUTO = "auto"
_START = "`ray start --head` starts one on this machine"
_REFUSED = "something answers there: give the head's port, RAY_AUTH_MODE, RAY_AUTH_TOKEN and version of Ray"


class ClusterError(ValueError):
    """The cluster cannot do what was asked for; the message says why."""


@contextmanager
def connected(address: str, command: str) -> Iterator[None]:
    """Connects to a cluster while the block runs. command: who speaks if Ray never returns.

    Raises:
        ClusterError: there is none at this address.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    _refuse_nobody(address)
    try:
        with _deadline(address, command):
            ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False, configure_logging=True)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        told = f"CLUSTER: no Ray cluster at {address}: {str(error).splitlines()[0]}"
        raise ClusterError(f"{told}; {_START if address == _AUTO else _REFUSED}") from None
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _deadline(address: str, command: str) -> Iterator[None]:
    """Ends this process if the block takes too long: Ray waits without end for what answers and is no head."""

    def end() -> None:
        told = f"{command}: CLUSTER: no Ray cluster at {address} within {_CONNECT_S:g} s; {_REFUSED}"
        print(told, file=sys.stderr, flush=True)
        os._exit(2)

    timer = threading.Timer(_CONNECT_S, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _refuse_nobody(address: str) -> None:
    """Ray ends the process where nobody listens, so this asks before."""
    if address == _AUTO:
        return
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, ValueError) as error:
        told = f"CLUSTER: no Ray cluster at {address}: {error}"
        raise ClusterError(f"{told}; allowed: auto, local, or a head such as 10.0.0.1:6379") from None


def cores_of_cluster(deadline_s: float) -> int:
    """The cores of the connected cluster, at least 1.

    Raises:
        ClusterError: it has none within the deadline.
    """
    until = time.monotonic() + deadline_s
    while True:
        with suppress(RayError):
            cores = int(ray.cluster_resources().get("CPU", 0))
            if cores:
                return cores
        if time.monotonic() > until:
            told = f"the cluster has no cores after {deadline_s:g} s"
            raise ClusterError(f"{told}: start a node, `ray start --address=HEAD:6379`")
        time.sleep(_LOOK_EVERY_S)
