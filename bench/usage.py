"""The CPU time and memory of a server's processes."""

from __future__ import annotations

from typing import NamedTuple

import psutil


class CpuTime(NamedTuple):
    """CPU seconds spent so far by the front end (a server's first process) and by all its workers together."""

    front_user_s: float
    front_kernel_s: float
    worker_user_s: float
    worker_kernel_s: float


class Memory(NamedTuple):
    """Resident memory now, of the front end and of the largest worker."""

    front_mib: float
    largest_worker_mib: float


def cpu_time(pid: int) -> CpuTime:
    """CPU time of the front end `pid` and of its workers, which are all its child processes."""
    front, workers = _processes(pid)
    own = front.cpu_times()
    times = [worker.cpu_times() for worker in workers]
    return CpuTime(own.user, own.system, sum(one.user for one in times), sum(one.system for one in times))


def memory(pid: int) -> Memory:
    """Resident memory of the front end `pid` and of the largest of its workers."""
    front, workers = _processes(pid)
    return Memory(_resident_mib(front), max(map(_resident_mib, workers), default=0.0))


def whole_server(pid: int) -> tuple[float, float]:
    """CPU seconds so far, and resident MiB now, of the process `pid` and all its descendants.

    Memory of a file (a library, shared memory) counts once, with its largest size in any process. Other memory counts
    in each process.
    """
    front, workers = _processes(pid)
    cpu_s = 0.0
    own = 0.0
    files: dict[str, float] = {}
    for process in (front, *workers):
        try:
            maps = process.memory_maps(grouped=True)
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        cpu_s += times.user + times.system
        for one in maps:
            own += one.anonymous
            files[one.path] = max(files.get(one.path, 0.0), one.rss - one.anonymous)
    return cpu_s, (own + sum(files.values())) / 2**20


def _processes(pid: int) -> tuple[psutil.Process, list[psutil.Process]]:
    front = psutil.Process(pid)
    return front, front.children(recursive=True)


def _resident_mib(process: psutil.Process) -> float:
    return float(process.memory_info().rss / 2**20)
