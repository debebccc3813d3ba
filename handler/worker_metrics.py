"""The worker's own metrics: counted in memory, emitted every few seconds.

TorchServe reads a worker's metrics from its standard output, a line for each value, so one line per request would cost
more than answering it. Names and dimensions stand in metrics.yaml; rates and means follow by division, as in
rate(ncf_predict_seconds_total[1m]) / rate(ncf_batches_total[1m]).
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from ts.metrics.metric_cache_errors import MetricsCacheKeyError

from model.asks import Answer, ColumnsAnswer, ExplainAnswer, FoldInAnswer, PairAnswer

logger = logging.getLogger(__name__)

Key = tuple[str, ...]


class WorkerMetrics:
    """Counters by name and dimensions; `emit` sends what has come since the last time."""

    def __init__(self, cache: Any, model_name: str, interval_s: float) -> None:
        self._cache = cache
        self._model_name = model_name
        self._counts: defaultdict[Key, float] = defaultdict(float)
        self._lock = threading.Lock()
        if cache is not None and interval_s > 0:
            logging.getLogger("ts.metrics").setLevel(logging.INFO)  # metrics are lines of this logger
            threading.Thread(target=self._emit_forever, args=(interval_s,), daemon=True, name="metrics").start()

    def count_batch(
        self, requests: Counter[tuple[str, str]], answers: Sequence[Answer], seconds: tuple[float, float, float]
    ) -> None:
        """Adds one dynamic batch: requests by (kind, status), and seconds in decode, predict and encode."""
        pairs, unknown = 0, 0
        for answer in answers:
            more_pairs, more_unknown = _size(answer)
            pairs, unknown = pairs + more_pairs, unknown + more_unknown
        with self._lock:
            for (kind, outcome), number in requests.items():
                self._counts["ncf_requests_total", kind, outcome] += number
            self._counts["ncf_batches_total",] += 1
            self._counts["ncf_batched_requests_total",] += requests.total()
            self._counts["ncf_pairs_total",] += pairs
            self._counts["ncf_unknown_ids_total",] += unknown
            for name, spent in zip(("decode", "predict", "encode"), seconds, strict=True):
                self._counts[f"ncf_{name}_seconds_total",] += spent

    def emit(self) -> None:
        """Sends the counters that have grown, and starts anew."""
        with self._lock:
            counts, self._counts = self._counts, defaultdict(float)
        for (name, *dimensions), value in counts.items():
            if value:
                self._cache.get_metric(name).add_or_update(value, [self._model_name, *dimensions])

    def _emit_forever(self, interval_s: float) -> None:
        pause = threading.Event()
        while not pause.wait(interval_s):
            try:
                self.emit()
            except MetricsCacheKeyError as error:
                logger.warning("no worker metrics: %s; they stand in handler/metrics.yaml (metrics_config)", error)
                return


def _size(answer: Answer) -> tuple[int, int]:
    """How many pairs an answer rates, and how many unknown ids were asked for."""
    if isinstance(answer, PairAnswer | ExplainAnswer):
        return 1, (not answer.user_known) + (not answer.movie_known)
    if isinstance(answer, ColumnsAnswer):
        known = int(np.count_nonzero(answer.users_known) + np.count_nonzero(answer.movies_known))
        return len(answer.ratings), 2 * len(answer.ratings) - known
    if isinstance(answer, FoldInAnswer):
        pairs, unknown = _size(answer.answer)
        return pairs, unknown + int(np.count_nonzero(~answer.movies_known))
    return len(answer.ratings), int(not answer.user_known) + answer.unknown_movies
