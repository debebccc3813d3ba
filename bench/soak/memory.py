"""Memory of the server's processes, looked at every few seconds from a thread."""

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
    """Rows of monotonic seconds, MiB of the front end (JVM), MiB of the largest worker; to be used as a context."""

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
        """(front end, largest worker) in MiB as seen last before that time; now, if it has not been looked yet."""
        if not self._rows or self._rows[0][0] > when:
            self.look()
        earlier = [row for row in self._rows if row[0] <= when] or self._rows
        return (earlier[-1][1], earlier[-1][2]) if earlier else (float("nan"), float("nan"))

    def look(self) -> None:
        """Adds a row now, unless a process is just ending or starting."""
        pid = server.running(self._settings)
        try:
            if pid is not None:
                seen = usage.measure(pid)
                self._rows.append((time.monotonic(), seen.front_mib, seen.largest_worker_mib))
        except psutil.Error:
            return

    def _run(self) -> None:
        while not self._end.wait(self._interval_s):
            self.look()


def growth_per_million(rows: np.ndarray, done_s: np.ndarray) -> tuple[float, float]:
    """MiB that front end and worker grow by for each million requests, over the later half of the rows.

    rows: (N, 3) of a MemoryLog; done_s: (M,) when each answer came, ascending.
    """
    later = rows[len(rows) // 2 :]
    if len(later) < 3:
        return float("nan"), float("nan")
    millions = np.searchsorted(done_s, later[:, 0]) / 1e6
    front, worker = (float(np.polyfit(millions, later[:, column], 1)[0]) for column in (1, 2))
    return front, worker
