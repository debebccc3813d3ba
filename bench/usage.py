"""What a server costs: CPU time and memory of its processes, by part."""

from __future__ import annotations

from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Usage:
    """CPU seconds spent so far, and resident memory now, of the front end (JVM) and of all workers together."""

    front_cpu_s: float
    worker_cpu_s: float
    front_mib: float
    largest_worker_mib: float


def measure(pid: int) -> Usage:
    """Looks at the process `pid`, the front end, and its children, the workers."""
    front = psutil.Process(pid)
    workers = [child for child in front.children(recursive=True) if child.is_running()]
    return Usage(
        _cpu_s(front),
        sum(map(_cpu_s, workers)),
        front.memory_info().rss / 2**20,
        max((_own_mib(worker) for worker in workers), default=0.0),
    )


def _own_mib(process: psutil.Process) -> float:
    return float(process.memory_info().rss / 2**20)


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def tree(pid: int) -> tuple[float, float]:
    """CPU seconds spent so far, and resident MiB now, of a process and all that it started.

    A file (a library, shared memory) counts once however many of them map it, at its largest; other memory counts in
    each.
    """
    first = psutil.Process(pid)
    cpu_s, own, files = 0.0, 0.0, dict[str, float]()
    for process in (first, *first.children(recursive=True)):
        try:
            maps = process.memory_maps(grouped=True)
            cpu_s += _cpu_s(process)
        except psutil.NoSuchProcess:
            continue
        for one in maps:
            own += one.anonymous
            files[one.path] = max(files.get(one.path, 0.0), one.rss - one.anonymous)
    return cpu_s, (own + sum(files.values())) / 2**20
