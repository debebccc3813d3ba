"""The memory of the server's processes, which a thread records every few seconds."""

from __future__ import annotations

import threading
import time
from types import TracebackType

import numpy as np
import psutil

from bench import usage
from ops.process import server
from ops.settings import ServerSettings


class MemoryLog:
    """A context that records rows: monotonic seconds, MiB of the front end (JVM), MiB of the largest worker."""

    def __init__(self, settings: ServerSettings, interval_s: float = 2.0) -> None:
        self._settings = settings
        self._interval_s = interval_s
        self._rows: list[tuple[float, float, float]] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="memory")

    def __enter__(self) -> MemoryLog:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end.set()
        self._thread.join()

    def between(self, start: float, end: float) -> np.ndarray:
        """The rows (N, 3) of a stretch of time."""
        rows = np.array(self._rows or np.empty((0, 3)))
        return rows[(rows[:, 0] >= start) & (rows[:, 0] <= end)]

    def at(self, when: float) -> tuple[float, float]:
        """MiB of (front end, largest worker) in the last row before that time; if there is none, records one now."""
        if not self._rows or self._rows[0][0] > when:
            self.look()
        earlier = [row for row in self._rows if row[0] <= when] or self._rows
        return (earlier[-1][1], earlier[-1][2]) if earlier else (float("nan"), float("nan"))

    def look(self) -> None:
        """Adds a row now, unless a process is starting or ending."""
        pid = server.running(self._settings)
        try:
            if pid is not None:
                seen = usage.memory(pid)
                self._rows.append((time.monotonic(), seen.front_mib, seen.largest_worker_mib))
        except psutil.Error:
            return

    def _run(self) -> None:
        while not self._end.wait(self._interval_s):
            self.look()


def growth_per_million(rows: np.ndarray, done_s: np.ndarray) -> tuple[float, float]:
    """The growth of front end and worker, in MiB for a million requests, over the later half of the rows.

    rows: (N, 3), from a MemoryLog.
    done_s: (M,) the ascending times of the answers.
    """
    later = rows[len(rows) // 2 :]
    if len(later) < 3:
        return float("nan"), float("nan")
    millions = np.searchsorted(done_s, later[:, 0]) / 1e6
    front, worker = (float(np.polyfit(millions, later[:, column], 1)[0]) for column in (1, 2))
    return front, worker
