"""The metrics for Prometheus at /metrics of the server, with the names and dimensions of handler/metrics.yaml.

The processes of a server share files (`PROMETHEUS_MULTIPROC_DIR`), so each of them reports the sums over all.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

import handler
from handler.batch_metrics import BatchMetrics
from handler.request import Response
from ops.asgi import shared

_NAMES = Path(handler.__file__).with_name("metrics.yaml")


class PrometheusMetrics:
    """The counters and gauges of one process."""

    def __init__(self) -> None:
        listed = yaml.safe_load(_NAMES.read_text(encoding="utf-8"))["model_metrics"]
        self._counters: dict[str, Counter | Gauge] = {}
        for one in listed["counter"]:
            self._counters[one["name"]] = _counter(one["name"], one["dimensions"])
        self._gauges = {one["name"]: _gauge(one["name"], one["dimensions"]) for one in listed["gauge"]}

    def of(self, model_name: str, model_version: str, interval_s: float) -> VersionMetrics:
        """The metrics of one version, which are updated every `interval_s` seconds."""
        return VersionMetrics(self._counters, self._gauges, model_name, model_version, interval_s)


class VersionMetrics(BatchMetrics):
    """The metrics of one version in one process."""

    def __init__(
        self,
        counters: Mapping[str, Counter | Gauge],
        gauges: Mapping[str, Gauge],
        model_name: str,
        model_version: str,
        interval_s: float,
    ) -> None:
        super().__init__(model_name, model_version, f"W-{os.getpid()}-{model_name}_{model_version}")
        self._counters = counters
        self._gauges = gauges
        self.emit_forever(interval_s)

    def add(self, name: str, value: float, *dimensions: str) -> None:
        """Adds to a counter."""
        self._counters[name].labels(*dimensions).inc(value)

    def set(self, name: str, value: float, *dimensions: str) -> None:
        """Sets a gauge."""
        self._gauges[name].labels(*dimensions).set(value)


def told(own: Iterable[VersionMetrics]) -> Response:
    """The metrics of all processes in Prometheus's format; it first updates `own`."""
    for one in own:
        one.emit()
    registry = REGISTRY
    if os.environ.get(shared.METRICS):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    return Response(generate_latest(registry), 200, {"content-type": CONTENT_TYPE_LATEST})


def _counter(name: str, dimensions: Iterable[str]) -> Counter | Gauge:
    """A counter, or a gauge that sums over processes if the library would change the counter's name."""
    if name.endswith("_total"):
        return Counter(name, name, list(dimensions))
    return Gauge(name, name, list(dimensions), multiprocess_mode="sum")


def _gauge(name: str, dimensions: Iterable[str]) -> Gauge:
    return Gauge(name, name, list(dimensions), multiprocess_mode="max")
