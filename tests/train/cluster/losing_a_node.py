"""Trains on a local cluster of three nodes, kills a node during a sweep, and prints what came out, as JSON.

python losing_a_node.py DATA OUT OPTIONS...
"""

import json
import subprocess
import sys
from pathlib import Path

from tests.small_cluster import lose, start_nodes, wait_for


def main() -> None:
    data, out, *options = sys.argv[1:]
    cluster, nodes = start_nodes(2)
    try:
        words = [sys.executable, "-m", "train.cluster", "--cluster", cluster.address, "--data", data]
        missing = run([*words, "--out", f"{out}/missing", "--processes", "9", "--deadline", "1", *options])
        # The first process takes no core, so the others are on all three nodes.
        all_nodes = ["--out", f"{out}/lost", "--processes", "4", *options]
        running = subprocess.Popen([*words, *all_nodes], stderr=subprocess.PIPE, text=True)
        wait_for(Path(out) / "lost" / ".resume" / "train-rating-block.safetensors", running)
        lose(cluster, nodes[1])
        _, said = running.communicate(timeout=600)
        print(json.dumps({"status": running.returncode, "said": said, "missing": missing}))
    finally:
        cluster.shutdown()


def run(words: list[str]) -> list[object]:
    done = subprocess.run(words, capture_output=True, text=True, timeout=400, check=False)
    return [done.returncode, done.stderr]


if __name__ == "__main__":
    main()
