"""Rounds become medians and ranges, and these are held against the goals."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bench.peers.measure import CONNECTIONS, Round
from bench.peers.servers import OURS


class Spread(NamedTuple):
    """The median of the rounds, and the lowest and highest of them."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of at least one value."""
        return cls(statistics.median(values), min(values), max(values))


class ClosedLoop(NamedTuple):
    """Of one kind of ask at one number of connections; refused and broken ones of all rounds together."""

    answered_per_s: Spread
    p50_ms: float
    p99_ms: float
    refused: int
    broken: int


class OpenLoop(NamedTuple):
    """Of a pair at one share of the server's own maximum; failed of sent in all rounds together.

    late_p99_ms: how much later than intended requests left, since every connection was busy or the generator was.
    """

    rate_per_s: float
    p50_ms: float
    p99_ms: Spread
    late_p99_ms: float
    failed: int
    sent: int


@dataclass(frozen=True)
class Summary:
    """One server over its rounds."""

    closed: dict[str, ClosedLoop]
    opened: dict[str, OpenLoop]
    start_s: Spread
    cores: float
    mib: float


class Goal(NamedTuple):
    """What was asked for: `figure` is to be at least (`>=`) or below (`<`) `wanted`."""

    what: str
    figure: float
    sign: str
    wanted: float

    @property
    def met(self) -> bool:
        """Whether it was reached."""
        return self.figure >= self.wanted if self.sign == ">=" else self.figure < self.wanted


def rotated(names: Sequence[str], turn: int) -> list[str]:
    """The order of a round: each round another server comes first."""
    first = turn % len(names)
    return [*names[first:], *names[:first]]


def summarize(rounds: Sequence[Round]) -> Summary | None:
    """Of the rounds without an error; None if there is none."""
    good = [one for one in rounds if not one.error]
    if not good:
        return None
    closed = {}
    for key in good[0].loads:
        loads = [one.loads[key] for one in good]
        p50, p99 = (statistics.median(getattr(load, name) for load in loads) for name in ("p50_ms", "p99_ms"))
        lost = (sum(getattr(load, name) for load in loads) for name in ("refused", "broken"))
        closed[key] = ClosedLoop(Spread.of([load.answered_per_s for load in loads]), p50, p99, *lost)
    opened = {}
    for share in good[0].open_loads:
        sent = [one.open_loads[share] for one in good]
        opened[share] = OpenLoop(
            statistics.median(load.rate_per_s for load in sent),
            statistics.median(load.p50_ms for load in sent),
            Spread.of([load.p99_ms for load in sent]),
            statistics.median(load.late_p99_ms for load in sent),
            sum(load.failed for load in sent),
            sum(load.sent for load in sent),
        )
    cores, mib = (statistics.median(getattr(one, name) for one in good) for name in ("cores", "mib"))
    return Summary(closed, opened, Spread.of([one.start_s for one in good]), cores, mib)


def best_rate(summary: Summary, *kinds: str) -> float:
    """The highest median of answers/s of these kinds, over the numbers of connections; 0 if it was not asked."""
    keys = (f"{kind}/{connections}" for kind in kinds for connections in CONNECTIONS)
    return max((summary.closed[key].answered_per_s.median for key in keys if key in summary.closed), default=0.0)


def goals(summaries: Mapping[str, Summary]) -> list[Goal]:
    """Ours beside the best peer in each; none where ours or every peer is missing."""
    peers = {name: one for name, one in summaries.items() if name != OURS}
    if OURS not in summaries or not peers:
        return []
    own = summaries[OURS]
    found = []
    for connections, wanted in ((64, 1.3), (256, 2.5)):
        key = f"pair/{connections}"
        peer = max(one.closed[key].answered_per_s.median for one in peers.values())
        ratio = _ratio(own.closed[key].answered_per_s.median, peer)
        found.append(Goal(f"one pair, {connections} connections: times the best peer", ratio, ">=", wanted))
    forms = {"": ("columns", "binary"), ", both as JSON": ("columns",), ", both as raw tensors": ("binary",)}
    for form, kinds in forms.items():
        peer = max(best_rate(one, *kinds) for one in peers.values())
        if peer:
            what = f"1,000 pairs, each at its best number of connections{form}: times the best peer"
            found.append(Goal(what, _ratio(best_rate(own, *kinds), peer), ">=", 1.3))
    lowest = min(one.opened["0.5"].p99_ms.median for one in peers.values())
    what = "one pair, p99 at half of one's own maximum: share of the lowest peer's"
    return [*found, Goal(what, _ratio(own.opened["0.5"].p99_ms.median, lowest), "<", 1.0)]


def _ratio(own: float, peer: float) -> float:
    return own / peer if peer else float("inf")
