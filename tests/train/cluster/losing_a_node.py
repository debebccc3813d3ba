"""Trains on a local cluster of three nodes, and prints what came out, as JSON.

It kills a process during the preparation, and a node during a sweep.

python losing_a_node.py DATA OUT OPTIONS...
"""

import json
import subprocess
import sys
import time
from pathlib import Path

from tests.small_cluster import kill_a_process, start_nodes, wait_for


def main() -> None:
    data, out, *options = sys.argv[1:]
    cluster, nodes = start_nodes(2)
    try:
        words = [sys.executable, "-m", "train.cluster", "--cluster", cluster.address, "--data", data]
        missing = run([*words, "--out", f"{out}/missing", "--processes", "9", "--deadline", "8", *options])
        # The first process takes no core, so the others are on all three nodes.
        all_nodes = ["--out", f"{out}/lost", "--processes", "4", *options]
        running = subprocess.Popen([*words, *all_nodes], stderr=subprocess.PIPE, text=True)
        kill_a_process("::_work")
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


if __name__ == "__main__":
    main()
