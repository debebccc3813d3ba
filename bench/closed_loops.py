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
    refused: int
    broken: int

    @classmethod
    def of(cls, loads: Sequence[Load]) -> ClosedLoop:
        """The summary of one load for each round."""
        return cls(
            answered_per_s=Spread.of([load.answered_per_s for load in loads]),
            p50_ms=statistics.median(load.p50_ms for load in loads),
            refused=sum(load.refused for load in loads),
            broken=sum(load.broken for load in loads),
        )


def closed_loops_table(servers: Mapping[str, Mapping[str, ClosedLoop]]) -> str:
    """A table of the closed loops, by server title and "kind/connections", with a line that explains the cells."""
    numbers = sorted({int(key.rpartition("/")[2]) for loops in servers.values() for key in loops})
    header = ("server", "asked", *(str(number) for number in numbers), "not answered")
    rows = table(header, 2, (row for title, loops in servers.items() for row in _rows(title, loops, numbers)))
    return f"Answers per second by number of connections, and in brackets the median latency in ms:\n\n{rows}"


def _rows(title: str, loops: Mapping[str, ClosedLoop], numbers: Sequence[int]) -> Iterator[Cells]:
    for kind in dict.fromkeys(key.rpartition("/")[0] for key in loops):
        found = {number: loops[f"{kind}/{number}"] for number in numbers if f"{kind}/{number}" in loops}
        rates = [_rate(found[number]) if number in found else "" for number in numbers]
        yield title, kind, *rates, f"{sum(loop.refused + loop.broken for loop in found.values()):,}"


def _rate(loop: ClosedLoop) -> str:
    return f"{loop.answered_per_s.median:,.0f} ({loop.p50_ms:.2f})"
