"""The CPU time and memory of a server's processes."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import psutil

from ops.frontend.worker import ADDRESS
from ops.process.state import family


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
    """CPU time of the front end `pid` and of its workers, which are all its other processes."""
    front, workers = _processes(pid)
    own = front.cpu_times()
    times = [worker.cpu_times() for worker in workers]
    return CpuTime(own.user, own.system, sum(one.user for one in times), sum(one.system for one in times))


def memory(pid: int) -> Memory:
    """Resident memory of the front end `pid` and of the largest of its workers."""
    front, workers = _processes(pid)
    return Memory(_resident_mib(front), max(map(_resident_mib, workers), default=0.0))


def whole_server(pid: int) -> tuple[float, float]:
    """CPU seconds so far, and resident MiB now, of the process `pid` and all other processes of its server.

    Memory of a file (a library, shared memory) counts once, with its largest size in any process. Other memory counts
    in each process, and what forked processes still share counts once.
    """
    front, workers = _processes(pid)
    cpu_s = 0.0
    own = 0.0
    files: dict[str, float] = {}
    for process in (front, *workers):
        try:
            maps = process.memory_maps(grouped=True)
            times = process.cpu_times()
            own += _anonymous_bytes(process)
        except psutil.NoSuchProcess:
            continue
        cpu_s += times.user + times.system
        for one in maps:
            files[one.path] = max(files.get(one.path, 0.0), one.rss - one.anonymous)
    return cpu_s, (own + sum(files.values())) / 2**20


def _processes(pid: int) -> tuple[psutil.Process, list[psutil.Process]]:
    front = psutil.Process(pid)
    environment = front.environ()
    if ADDRESS not in environment:
        return front, front.children(recursive=True)
    # The warm process forks the workers, so they are not children of the front end.
    return front, [one for one in family(environment["TMPDIR"]) if one.pid != pid]


def _anonymous_bytes(process: psutil.Process) -> int:
    """The process's own memory; a part that n processes share counts 1/n."""
    try:
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError) as error:
        raise psutil.NoSuchProcess(process.pid) from error
    [size_kib] = [line.split()[1] for line in lines if line.startswith("Pss_Anon:")]
    return int(size_kib) * 1024


def _resident_mib(process: psutil.Process) -> float:
    return float(process.memory_info().rss / 2**20)
