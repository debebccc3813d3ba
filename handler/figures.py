"""What one worker has done since it started, for those who ask it: requests, their time, the size of its batches."""

from __future__ import annotations

import bisect
import os
import time
from collections import Counter, deque
from collections.abc import Mapping
from typing import Any

# Upper bounds of a batch's milliseconds in the worker.
_BOUNDS_MS = (0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 1000.0)
_RECENT_SECONDS = 60


class Figures:
    """Counters of one worker; they cost a few additions for each batch."""

    def __init__(self) -> None:
        self._started = time.time()
        self._requests: Counter[tuple[str, int]] = Counter()
        self._batches = 0
        self._seconds = 0.0
        self._largest_batch = 0
        self._buckets = [0] * (len(_BOUNDS_MS) + 1)
        # Requests of each of the last seconds, as [second, requests].
        self._recent: deque[list[int]] = deque(maxlen=_RECENT_SECONDS)

    def count_batch(self, requests: Counter[tuple[str, int]], seconds: float) -> None:
        """Adds one batch: requests by (kind, status), and how long it took."""
        self._requests.update(requests)
        size = requests.total()
        self._batches += 1
        self._seconds += seconds
        self._largest_batch = max(self._largest_batch, size)
        self._buckets[bisect.bisect_left(_BOUNDS_MS, seconds * 1000)] += 1
        now = int(time.time())
        if not self._recent or self._recent[-1][0] != now:
            self._recent.append([now, 0])
        self._recent[-1][1] += size

    def told(self) -> Mapping[str, Any]:
        """The figures by name, as JSON."""
        total = self._requests.total()
        batches = max(self._batches, 1)
        since = time.time() - _RECENT_SECONDS
        by_kind = [
            {"kind": kind, "status": status, "requests": number}
            for (kind, status), number in sorted(self._requests.items())
        ]
        bounds: list[float | None] = [*_BOUNDS_MS, None]
        return {
            "worker_pid": os.getpid(),
            "uptime_s": round(time.time() - self._started, 1),
            "requests": total,
            "requests_last_minute": sum(number for second, number in self._recent if second >= since),
            "by_kind": by_kind,
            "batches": self._batches,
            "mean_batch": round(total / batches, 2),
            "largest_batch": self._largest_batch,
            "mean_batch_ms": round(1000 * self._seconds / batches, 3),
            "batch_ms": [{"at_most": bound, "batches": n} for bound, n in zip(bounds, self._buckets, strict=True)],
        }
