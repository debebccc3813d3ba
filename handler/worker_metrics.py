"""The service's metrics for TorchServe: counted in memory, and sent every few seconds.

TorchServe reads a worker's metrics from its standard output, one line for each value. A line per request would cost
more than its answer. Names and dimensions stand in metrics.yaml. Rates and means follow by division, as in
rate(ncf_predict_seconds_total[1m]) / rate(ncf_batches_total[1m]).

TorchServe's own histograms need a line for each value, and their buckets are fixed. So the time of a batch is counted
in buckets here, under the names that histogram_quantile expects.
"""

from __future__ import annotations

import bisect
import logging
import os
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from ts.metrics.metric_cache_errors import MetricsCacheKeyError
from ts.metrics.metric_type_enum import MetricTypes

from model.asks import Answer, PairAnswer

logger = logging.getLogger(__name__)

Key = tuple[str, ...]
# Upper bounds of a batch's seconds in the worker.
BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
_SECONDS = ("ncf_decode_seconds_total", "ncf_predict_seconds_total", "ncf_encode_seconds_total")
_COUNTERS = (
    *("ncf_batches_total", "ncf_batched_requests_total", "ncf_pairs_total", "ncf_unknown_ids_total"),
    *_SECONDS,
)


class WorkerMetrics:
    """Counters by name and dimensions; `emit` sends their growth since the last time, and the process's gauges.

    `cache` is TorchServe's; `interval_s` are the seconds between two emissions, and 0 emits none.
    """

    def __init__(self, cache: Any, model_name: str, model_version: str, interval_s: float) -> None:
        self._cache = cache
        self._model = (model_name, model_version)
        self._worker = f"W-{_worker_number(sys.argv)}-{model_name}_{model_version}"
        self._counts: defaultdict[Key, float] = defaultdict(float)
        self._buckets = [0] * (len(BUCKETS_S) + 1)
        self._counts["ncf_worker_starts_total",] = 1
        self._lock = threading.Lock()
        if cache is not None and interval_s > 0:
            logging.getLogger("ts.metrics").setLevel(logging.INFO)  # metrics are lines of this logger
            threading.Thread(target=self._emit_forever, args=(interval_s,), daemon=True, name="metrics").start()

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
                self._send(name, value, *self._model, *dimensions)
        if any(buckets):
            self._send_buckets(buckets)
        self._set("ncf_worker_alive_timestamp_seconds", int(time.time()), *self._model, self._worker)
        if (own := _resident_bytes(os.getpid())) is not None:
            self._set("ncf_worker_memory_bytes", own, *self._model, self._worker)
        if (front := _resident_bytes(os.getppid())) is not None:
            self._set("ncf_front_end_memory_bytes", front, "Host")

    def _send(self, name: str, value: float, *dimensions: str) -> None:
        self._cache.get_metric(name).add_or_update(value, list(dimensions))

    def _set(self, name: str, value: float, *dimensions: str) -> None:
        self._cache.get_metric(name, MetricTypes.GAUGE).add_or_update(value, list(dimensions))

    def _send_buckets(self, buckets: Sequence[int]) -> None:
        bounds = [*map(str, BUCKETS_S), "+Inf"]
        for bound, value in zip(bounds, accumulate(buckets), strict=True):
            self._send("ncf_batch_seconds_bucket", value, *self._model, bound)

    def _emit_forever(self, interval_s: float) -> None:
        pause = threading.Event()
        try:
            self._send_zeros()
            while not pause.wait(interval_s):
                self.emit()
        except MetricsCacheKeyError as error:
            logger.warning("no worker metrics: %s; add it to the file of metrics_config (handler/metrics.yaml)", error)

    def _send_zeros(self) -> None:
        """Sends zeros at the start: Prometheus cannot see the first growth of a counter that begins above zero."""
        for name in _COUNTERS:
            self._send(name, 0, *self._model)
        self._send_buckets([0] * len(self._buckets))


def _worker_number(arguments: Sequence[str]) -> str:
    """TorchServe's number of this worker, the same after a restart: the end of its socket's name, or its port."""
    named = dict(pairwise(arguments))
    return (named.get("--sock-name") or named.get("--port") or "0").rsplit(".", 1)[-1]


def _resident_bytes(pid: int) -> int | None:
    """Memory that a process holds; None if the system does not say it this way."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return None
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
