"""Metrics through Ray: each node reports the metrics of its replicas, with the prefix `ray_`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from ray import serve
from ray.util.metrics import Counter, Gauge

import handler
from handler.batch_metrics import BatchMetrics

_NAMES = Path(handler.__file__).with_name("metrics.yaml")


class RayMetrics(BatchMetrics):
    """The metrics of one version in one replica; it reports them every `interval_s` seconds."""

    def __init__(self, model_name: str, model_version: str, interval_s: float) -> None:
        super().__init__(model_name, model_version, serve.get_replica_context().replica_tag)
        listed = yaml.safe_load(_NAMES.read_text(encoding="utf-8"))["model_metrics"]
        self._counters = {name: Counter(name, name, tuple(of)) for name, of in _dimensions(listed["counter"])}
        self._gauges = {name: Gauge(name, name, tuple(of)) for name, of in _dimensions(listed["gauge"])}
        self._dimensions = dict(_dimensions([*listed["counter"], *listed["gauge"]]))
        self.emit_forever(interval_s)

    def add(self, name: str, value: float, *dimensions: str) -> None:
        """Adds to a counter; Ray refuses to add nothing."""
        if value > 0:
            self._counters[name].inc(value, self._tags(name, dimensions))

    def set(self, name: str, value: float, *dimensions: str) -> None:
        """Sets a gauge."""
        self._gauges[name].set(value, self._tags(name, dimensions))

    def _tags(self, name: str, dimensions: tuple[str, ...]) -> dict[str, str]:
        return dict(zip(self._dimensions[name], dimensions, strict=True))


def _dimensions(listed: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    return ((one["name"], one["dimensions"]) for one in listed)
