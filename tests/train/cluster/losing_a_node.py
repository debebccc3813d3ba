"""Trains on a local cluster of three nodes, kills a node during a sweep, and prints what came out, as JSON.

python losing_a_node.py DATA OUT OPTIONS...
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": "of-this-test-alone-0123456789abcdef",
    "GLOO_SOCKET_IFNAME": "lo",
}
os.environ.update(ENVIRONMENT)

from ray.cluster_utils import Cluster  # noqa: E402

_SMALL: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 80_000_000}


def main() -> None:
    data, out, *options = sys.argv[1:]
    # Ray takes 127.0.0.1 for the address of no node.
    head = {**_SMALL, "node_ip_address": "127.0.0.2", "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    nodes = [cluster.add_node(**_SMALL, node_ip_address=f"127.0.0.{number}") for number in (3, 4)]
    try:
        words = [sys.executable, "-m", "train.cluster", "--cluster", cluster.address, "--data", data]
        missing = run([*words, "--out", f"{out}/missing", "--processes", "9", "--deadline", "8", *options])
        # The first process takes no core, so the others are on all three nodes.
        all_nodes = ["--out", f"{out}/lost", "--processes", "4", *options]
        running = subprocess.Popen([*words, *all_nodes], stderr=subprocess.PIPE, text=True)
        wait_for(Path(out) / "lost" / ".resume" / "train-rating-block.safetensors", running)
        cluster.remove_node(nodes[1], allow_graceful=False)
        killed = time.monotonic()
        _, said = running.communicate(timeout=600)
        spent = time.monotonic() - killed
        print(json.dumps({"status": running.returncode, "said": said, "after_kill_s": spent, "missing": missing}))
    finally:
        cluster.shutdown()


def run(words: list[str]) -> list[object]:
    done = subprocess.run(words, capture_output=True, text=True, timeout=400, check=False)
    return [done.returncode, done.stderr]


def wait_for(path: Path, running: "subprocess.Popen[str]") -> None:
    until = time.monotonic() + 600
    while not path.exists():
        if running.poll() is not None or time.monotonic() > until:
            raise SystemExit(f"no sweep was kept: {running.communicate(timeout=5)[1]}")
        time.sleep(0.02)


if __name__ == "__main__":
    main()
