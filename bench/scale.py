"""`python -m bench.scale NUMBER`: time, memory and errors of a training by parts on made-up ratings.

The largest number of processes prepares the ratings. Each number trains on the same prepared folder; all must write the
same digest. Run by hand.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.options import positive


def main() -> None:
    """Prints a line for each step."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=str(__doc__).splitlines()[0])
    parser.add_argument("number", type=positive, help="the number of ratings")
    parser.add_argument("--processes", type=positive, nargs="+", default=[1, 2], help="numbers of processes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ratings, prepared = Path(folder) / "ratings.csv", Path(folder) / "prepared"
        # In a process of its own: the memory of this one would count in those that it starts.
        _run("make", "-m", "bench.made_ratings", str(ratings), str(options.number))
        most = ["--processes", str(max(options.processes))]
        _run("prepare", "-m", "train.prepared", "--data", str(ratings), "--out", str(prepared), *most)
        digests = set()
        for processes in options.processes:
            out = Path(folder) / str(processes)
            torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
            words = ["-m", "train.parts", "--data", str(prepared), "--out", str(out), "--no-refit"]
            _run(f"{processes} processes", *(torchrun if processes > 1 else []), *words)
            metrics = json.loads((out / "metrics.json").read_text())
            digests.add(metrics["digest"])
            print(f"  stages {metrics['stages_s']}, held-out MSE {metrics['metrics']['all']['network']['mse']:.4f}")
    print("one digest" if len(digests) == 1 else f"UNLIKE digests: {digests}")


def _run(name: str, *words: str) -> None:
    """Runs Python; prints its seconds, and the most memory of one of its processes."""
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, *words], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    spent = time.perf_counter() - started
    if status:
        sys.exit(f"{name}: failed")
    print(f"{name}: {spent:.1f} s, {usage.ru_utime + usage.ru_stime:.1f} s of the processor", end=", ")
    print(f"at most {usage.ru_maxrss / 2**20:.2f} GiB", flush=True)


if __name__ == "__main__":
    main()
