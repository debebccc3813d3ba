"""`python -m bench.shared_memory`: what several workers of a large model hold together, beside what one holds.

The artifact is made as in bench/growth.py. Each worker loads it, and answers as many pairs as touch most pages. The
memory is the workers' proportional share (PSS): a page that four processes map counts a quarter in each. The same model
with its tables inside the network, so that each process has a copy, says what a mapped pair costs.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

import model.maps
import model.tables
from bench.growth import MOVIES, USERS, make_artifact, measure
from bench.machine import describe_machine
from bench.markdown import table

_WORKERS = 4
_READY = "ready"


@contextmanager
def nothing_mapped() -> Iterator[None]:
    """Artifacts that are written in the block have all tables inside the network."""
    before = model.tables.MAPPED_BYTES
    model.tables.MAPPED_BYTES = model.maps.MAPPED_BYTES = sys.maxsize
    try:
        yield
    finally:
        model.tables.MAPPED_BYTES = model.maps.MAPPED_BYTES = before


def memory_of(path: Path, workers: int) -> float:
    """MiB that so many workers hold together, by their proportional shares."""
    command = [sys.executable, "-W", "ignore", "-m", "bench.shared_memory", "--worker", str(path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    processes = [subprocess.Popen(command, text=True, **pipes) for _ in range(workers)]  # type: ignore[call-overload]
    try:
        for process in processes:
            assert process.stdout is not None
            if process.stdout.readline().strip() != _READY:
                raise RuntimeError(f"a worker ended with status {process.wait()}")
        return float(sum(psutil.Process(process.pid).memory_full_info().pss for process in processes)) / 2**20
    finally:
        for process in processes:
            process.communicate("end")


def work(path: Path) -> None:
    """One worker: it measures, says that it is ready, and waits."""
    measure(path)
    print(_READY, flush=True)
    sys.stdin.readline()


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
        with nothing_mapped():
            make_artifact(inside, options.users, options.movies)
        one, several = (memory_of(mapped, workers) for workers in (1, _WORKERS))
        figures = measure(mapped), measure(inside)
        machine = describe_machine(mapped)
    print(f"{options.users:,} users, {options.movies:,} movies; {machine['processor']}")
    print(f"memory of 1 worker {one:,.0f} MiB, of {_WORKERS} together {several:,.0f} MiB: {several / one:.2f} times")
    names = ("load_s", "single_pair_us", "column_pair_us", "best_of_all_s")
    rows = [(name, *(f"{one[name]:.3f}" for one in figures)) for name in names]
    print(table(("figure", "mapped", "inside the network"), 2, rows))


if __name__ == "__main__":
    main()
