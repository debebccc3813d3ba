"""Closed loops over several rounds: medians, ranges, and their table."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from bench.load import Load
from bench.markdown import Cells, table


class Spread(NamedTuple):
    """The median of the rounds, the lowest and the highest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of at least one value."""
        return cls(statistics.median(values), min(values), max(values))

    def __format__(self, form: str) -> str:
        return f"{self.median:{form}} ({self.low:{form}} to {self.high:{form}})"


class ClosedLoop(NamedTuple):
    """One kind of request at one number of connections; `refused` and `broken` are sums over the rounds."""

    answered_per_s: Spread
    p50_ms: float
    p99_ms: float
    refused: int
    broken: int

    @classmethod
    def of(cls, loads: Sequence[Load]) -> ClosedLoop:
        """The summary of one load for each round."""
        return cls(
            answered_per_s=Spread.of([load.answered_per_s for load in loads]),
            p50_ms=statistics.median(load.p50_ms for load in loads),
            p99_ms=statistics.median(load.p99_ms for load in loads),
            refused=sum(load.refused for load in loads),
            broken=sum(load.broken for load in loads),
        )


def closed_loops_table(servers: Mapping[str, Mapping[str, ClosedLoop]]) -> str:
    """Every closed loop, by the server's title and by "kind/connections"."""
    header = ("server", "asked", "connections", "answered/s", "p50 ms", "p99 ms", "refused", "broken")
    return table(header, 2, (row for title, loops in servers.items() for row in _rows(title, loops)))


def _rows(title: str, loops: Mapping[str, ClosedLoop]) -> Iterator[Cells]:
    for key, loop in loops.items():
        kind, connections = key.split("/")
        times = (f"{loop.p50_ms:.2f}", f"{loop.p99_ms:.2f}")
        yield title, kind, connections, f"{loop.answered_per_s:,.0f}", *times, f"{loop.refused:,}", f"{loop.broken:,}"
