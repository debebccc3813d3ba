"""The service's metrics: counted in memory for each batch, and sent every few seconds.

Names and dimensions stand in metrics.yaml. Rates and means follow by division, as in
rate(ncf_predict_seconds_total[1m]) / rate(ncf_batches_total[1m]). The time of a batch is counted in buckets, under the
names that histogram_quantile expects.
"""

from __future__ import annotations

import bisect
import os
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

from handler.front_end import front_end_pid
from model.asks import Answer, PairAnswer

Key = tuple[str, ...]
# Upper bounds of a batch's seconds in the worker.
BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
_SECONDS = ("ncf_decode_seconds_total", "ncf_predict_seconds_total", "ncf_encode_seconds_total")
_COUNTERS = (
    *("ncf_batches_total", "ncf_batched_requests_total", "ncf_pairs_total", "ncf_unknown_ids_total"),
    *_SECONDS,
)


class BatchMetrics(ABC):
    """Counters by name and dimensions; `emit` sends their growth since the last time, and the process's gauges.

    `worker` names this process among those that serve the model. A server's own class says where values go.
    """

    def __init__(self, model_name: str, model_version: str, worker: str) -> None:
        self._model = (model_name, model_version)
        self._worker = worker
        self._counts: defaultdict[Key, float] = defaultdict(float)
        self._buckets = [0] * (len(BUCKETS_S) + 1)
        self._counts["ncf_worker_starts_total",] = 1
        self._lock = threading.Lock()

    @abstractmethod
    def add(self, name: str, value: float, *dimensions: str) -> None:
        """Adds to a counter."""

    @abstractmethod
    def set(self, name: str, value: float, *dimensions: str) -> None:
        """Sets a gauge."""

    def count_batch(
        self, requests: Counter[tuple[str, int]], answers: Sequence[Answer], seconds: tuple[float, float, float]
    ) -> None:
        """Adds one dynamic batch: requests by (kind, status), and seconds in decode, predict and encode."""
        pairs = 0
        unknown = 0
        for answer in answers:
            if type(answer) is PairAnswer and answer.user_known and answer.movie_known:
                pairs += 1  # by far the most frequent; this is cheaper than two calls
                continue
            pairs += answer.num_pairs()
            unknown += answer.num_unknown()
        with self._lock:
            for (kind, status), number in requests.items():
                self._counts["ncf_requests_total", kind, str(status)] += number
            self._counts["ncf_batches_total",] += 1
            self._counts["ncf_batched_requests_total",] += requests.total()
            self._counts["ncf_pairs_total",] += pairs
            self._counts["ncf_unknown_ids_total",] += unknown
            for name, spent in zip(_SECONDS, seconds, strict=True):
                self._counts[name,] += spent
            self._buckets[bisect.bisect_left(BUCKETS_S, sum(seconds))] += 1

    def emit(self) -> None:
        """Sends the counters that have grown, and starts them anew; sends the gauges each time."""
        with self._lock:
            counts, self._counts = self._counts, defaultdict(float)
            buckets, self._buckets = self._buckets, [0] * len(self._buckets)
        for (name, *dimensions), value in counts.items():
            if value:
                self.add(name, value, *self._model, *dimensions)
        if any(buckets):
            self._send_buckets(buckets)
        self.set("ncf_worker_alive_timestamp_seconds", int(time.time()), *self._model, self._worker)
        if (own := _resident_bytes(os.getpid())) is not None:
            self.set("ncf_worker_memory_bytes", own, *self._model, self._worker)
        if (front := _resident_bytes(front_end_pid())) is not None:
            self.set("ncf_front_end_memory_bytes", front, "Host")

    def emit_forever(self, interval_s: float) -> None:
        """Emits every so many seconds, in a thread that ends with the process; 0 never emits."""
        if interval_s > 0:
            threading.Thread(target=self._emit_forever, args=(interval_s,), daemon=True, name="metrics").start()

    def _emit_forever(self, interval_s: float) -> None:
        pause = threading.Event()
        self.send_zeros()
        while not pause.wait(interval_s):
            self.emit()

    def send_zeros(self) -> None:
        """Sends zeros at the start: Prometheus cannot see the first growth of a counter that begins above zero."""
        for name in _COUNTERS:
            self.add(name, 0, *self._model)
        self._send_buckets([0] * len(self._buckets))

    def _send_buckets(self, buckets: Sequence[int]) -> None:
        bounds = [*map(str, BUCKETS_S), "+Inf"]
        for bound, value in zip(bounds, accumulate(buckets), strict=True):
            self.add("ncf_batch_seconds_bucket", value, *self._model, bound)


def _resident_bytes(pid: int) -> int | None:
    """Memory that a process holds; None if the system does not say it this way."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return None
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
