"""`python -m bench.shared_memory`: the memory of several workers of a large model, compared with that of one worker.

The artifact is made as in bench/growth.py. Each worker loads it, and answers enough pairs to touch most pages. The
memory is the workers' proportional share (PSS): a page that four processes map counts a quarter in each. For
comparison, the same model is measured with its tables inside the network, so that each process has its own copy.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import psutil
import torch

import model.tables
from bench.growth import MOVIES, USERS, make_artifact
from bench.machine import describe_machine
from bench.markdown import table
from bench.workloads import PAIRS
from model.artifact import load_artifact
from model.asks import ColumnsAsk
from model.predictor import Predictor

_WORKERS, _BATCHES = 4, 200


@contextmanager
def nothing_mapped() -> Iterator[None]:
    """Artifacts that are written in the block have all tables inside the network."""
    before = model.tables.MAPPED_BYTES
    model.tables.MAPPED_BYTES = sys.maxsize
    try:
        yield
    finally:
        model.tables.MAPPED_BYTES = before


def measure_together(path: Path, workers: int) -> tuple[float, dict[str, float]]:
    """The total MiB of this many workers, by their proportional shares, and the figures of the first worker."""
    command = [sys.executable, "-W", "ignore", "-m", "bench.shared_memory", "--worker", str(path)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    processes = [subprocess.Popen(command, text=True, **pipes) for _ in range(workers)]
    try:
        figures = [json.loads(cast(IO[str], process.stdout).readline()) for process in processes]
        shares = [psutil.Process(process.pid).memory_full_info().pss for process in processes]
        return sum(shares) / 2**20, figures[0]
    finally:
        for process in processes:
            process.communicate("end")


def loaded(path: Path) -> tuple[Predictor, dict[str, float]]:
    """A predictor, and its figures: the CPU seconds to load it, and the microseconds of one pair among many."""
    torch.set_num_threads(1)
    started = time.process_time()
    predictor = Predictor(load_artifact(path))
    load_s = time.process_time() - started
    random = np.random.default_rng(1)
    users, movies = predictor.user_ids.ids, predictor.movie_ids.ids
    spent = []
    for _ in range(_BATCHES):
        ask = ColumnsAsk(random.choice(users, PAIRS), random.choice(movies, PAIRS))
        started = time.process_time()
        predictor.answer([ask])
        spent.append(time.process_time() - started)
    return predictor, {"load, s of processor time": load_s, "a pair, us": float(np.median(spent)) / PAIRS * 1e6}


def work(path: Path) -> None:
    """One worker: it loads the artifact, answers, prints the times, and waits."""
    predictor, figures = loaded(path)
    print(json.dumps({**figures, "users": len(predictor.user_ids)}), flush=True)
    sys.stdin.readline()
    del predictor


def main() -> None:
    """Makes both artifacts, and prints memory and times."""
    parser = argparse.ArgumentParser(prog="bench.shared_memory", description=__doc__)
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--users", type=int, default=USERS)
    parser.add_argument("--movies", type=int, default=MOVIES)
    options = parser.parse_args()
    if options.worker:
        work(options.worker)
        return
    with tempfile.TemporaryDirectory() as folder:
        mapped, inside = Path(folder) / "mapped.pt", Path(folder) / "inside.pt"
        make_artifact(mapped, options.users, options.movies)
        print(
            f"{options.users:,} users, {options.movies:,} movies; {describe_machine(mapped)['processor']}", flush=True
        )
        one, figures = measure_together(mapped, 1)
        several, _ = measure_together(mapped, _WORKERS)
        times = f"{several / one:.2f} times"
        print(f"memory of 1 worker {one:,.0f} MiB, of {_WORKERS} together {several:,.0f} MiB: {times}", flush=True)
        with nothing_mapped():
            make_artifact(inside, options.users, options.movies)
        copied, beside = measure_together(inside, 1)
    print(f"memory of 1 worker with the tables inside the network: {copied:,.0f} MiB")
    rows = [(name, *(f"{found[name]:.3f}" for found in (figures, beside))) for name in figures if name != "users"]
    print(table(("figure", "mapped", "inside the network"), 1, rows))


if __name__ == "__main__":
    main()
