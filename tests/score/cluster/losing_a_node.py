"""Scores on a local cluster of two nodes, kills a process and then a node, and prints what came out, as JSON.

python losing_a_node.py ARTIFACT OUT FIRST SECOND OPTIONS...

It kills a process once the file FIRST is in the folder OUT, and a node once the file SECOND is. Before each kill it
stops a process, so that even a quick scoring does not end first.
"""

import json
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil

from tests.small_cluster import lose, start_nodes, wait_for


def main() -> None:
    artifact, out, first, second, *options = sys.argv[1:]
    cluster, [node] = start_nodes(1)
    try:
        words = [sys.executable, "-m", "score.cluster", "--cluster", cluster.address, "--artifact", artifact]
        running = subprocess.Popen(
            [*words, "--out", out, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        wait_for(Path(out) / first, running)
        kill_a_process()
        wait_for(Path(out) / second, running)
        running.send_signal(signal.SIGSTOP)
        there = len(list(Path(out).glob("*.parquet")))
        lose(cluster, node)
        running.send_signal(signal.SIGCONT)
        told, said = running.communicate(timeout=600)
        print(json.dumps({"status": running.returncode, "told": told, "said": said, "before": there}))
    finally:
        cluster.shutdown()


def kill_a_process() -> None:
    """Kills one that makes a part. Ray names it after what it does; those of other clusters are not looked at."""
    until = time.monotonic() + 600
    while time.monotonic() < until:
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                if not makes_a_part(process):
                    continue
                process.suspend()
                if makes_a_part(process):  # otherwise it had ended the part before it was stopped
                    process.kill()
                    return
                process.resume()
    raise SystemExit("no process made a part")


def makes_a_part(process: psutil.Process) -> bool:
    return "_make_part" in "".join(process.cmdline()[:1])


if __name__ == "__main__":
    main()
