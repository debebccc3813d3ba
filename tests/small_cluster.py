"""A Ray cluster of small nodes on this machine, for the scripts that tests start. They import this before ray."""

import os
import time
from pathlib import Path
from subprocess import Popen
from typing import Any

import psutil

ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": "of-this-test-alone-0123456789abcdef",
    "GLOO_SOCKET_IFNAME": "lo",
}
os.environ.update(ENVIRONMENT)

from ray.cluster_utils import Cluster  # noqa: E402

_SMALL: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 80_000_000}
_DEADLINE_S = 600


def start_nodes(number: int) -> tuple[Cluster, list[Any]]:
    """A cluster of a head and so many other nodes, each with one core; and the others."""
    # Ray takes 127.0.0.1 for the address of no node.
    head = {**_SMALL, "node_ip_address": "127.0.0.2", "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    return cluster, [cluster.add_node(**_SMALL, node_ip_address=f"127.0.0.{one + 3}") for one in range(number)]


def lose(cluster: Cluster, node: Any) -> None:
    """Ends a node as a power cut does: from the first moment on, none of its processes does anything."""
    [raylet] = node.all_processes["raylet"]
    processes = psutil.Process(raylet.process.pid).children(recursive=True)
    for process in processes:
        process.suspend()
    cluster.remove_node(node, allow_graceful=False)
    for process in processes:
        process.kill()


def wait_for(path: Path, running: "Popen[str]") -> None:
    """Returns once the file is there; ends the script if the process ends before."""
    until = time.monotonic() + _DEADLINE_S
    while not path.exists():
        if running.poll() is not None or time.monotonic() > until:
            raise SystemExit(f"{path} was not written: {running.communicate(timeout=5)[1]}")
        time.sleep(0.02)
