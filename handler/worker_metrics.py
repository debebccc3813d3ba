"""The metrics as TorchServe takes them.

TorchServe reads a worker's metrics from its standard output, one line for each value. A line per request would cost
more than its answer. TorchServe's own histograms need a line for each value, and their buckets are fixed.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from ts.metrics.metric_cache_errors import MetricsCacheKeyError
from ts.metrics.metric_type_enum import MetricTypes

from handler.batch_metrics import BatchMetrics

logger = logging.getLogger(__name__)


class WorkerMetrics(BatchMetrics):
    """Sends to TorchServe's `cache` every `interval_s` seconds; 0 sends nothing."""

    def __init__(self, cache: Any, model_name: str, model_version: str, interval_s: float) -> None:
        super().__init__(model_name, model_version, f"W-{_worker_number(sys.argv)}-{model_name}_{model_version}")
        self._cache = cache
        if cache is not None and interval_s > 0:
            logging.getLogger("ts.metrics").setLevel(logging.INFO)  # metrics are lines of this logger
            self.emit_forever(interval_s)

    def add(self, name: str, value: float, *dimensions: str) -> None:
        """Writes the line of a counter."""
        self._cache.get_metric(name).add_or_update(value, list(dimensions))

    def set(self, name: str, value: float, *dimensions: str) -> None:
        """Writes the line of a gauge."""
        self._cache.get_metric(name, MetricTypes.GAUGE).add_or_update(value, list(dimensions))

    def _emit_forever(self, interval_s: float) -> None:
        try:
            super()._emit_forever(interval_s)
        except MetricsCacheKeyError as error:
            logger.warning("no worker metrics: %s; add it to the file of metrics_config (handler/metrics.yaml)", error)


def _worker_number(arguments: Sequence[str]) -> str:
    """TorchServe's number of this worker, the same after a restart: the end of its socket's name, or its port."""
    named = dict(pairwise(arguments))
    return (named.get("--sock-name") or named.get("--port") or "0").rsplit(".", 1)[-1]
