"""Medians and ranges over the rounds, and the goals for them."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bench.closed_loops import ClosedLoop, Spread
from bench.goals import Goal
from bench.open_loop import OpenLoad
from bench.peers.measure import CONNECTIONS, Round
from bench.peers.servers import OURS, OWN


class OpenLoop(NamedTuple):
    """Pairs at one share of the server's own maximum; `failed` and `sent` are sums over the rounds.

    late_p99_ms: how late requests were sent, because every connection or the generator was busy.
    """

    rate_per_s: float
    p50_ms: float
    p99_ms: Spread
    late_p99_ms: float
    failed: int
    sent: int


@dataclass(frozen=True)
class Summary:
    """The figures of one server over its rounds."""

    closed: dict[str, ClosedLoop]
    opened: dict[str, OpenLoop]
    start_s: Spread
    cores: float
    mib: float


def rotated(names: Sequence[str], turn: int) -> list[str]:
    """The order of the servers in a round: another server comes first in each round."""
    first = turn % len(names)
    return [*names[first:], *names[:first]]


def summarize(rounds: Sequence[Round]) -> Summary | None:
    """The summary of the rounds without an error; None if there is no such round."""
    good = [one for one in rounds if not one.error]
    if not good:
        return None
    return Summary(
        closed={key: ClosedLoop.of([one.loads[key] for one in good]) for key in good[0].loads},
        opened={share: _open_loop([one.open_loads[share] for one in good]) for share in good[0].open_loads},
        start_s=Spread.of([one.start_s for one in good]),
        cores=statistics.median(one.cores for one in good),
        mib=statistics.median(one.mib for one in good),
    )


def _open_loop(loads: Sequence[OpenLoad]) -> OpenLoop:
    return OpenLoop(
        rate_per_s=statistics.median(load.rate_per_s for load in loads),
        p50_ms=statistics.median(load.p50_ms for load in loads),
        p99_ms=Spread.of([load.p99_ms for load in loads]),
        late_p99_ms=statistics.median(load.late_p99_ms for load in loads),
        failed=sum(load.failed for load in loads),
        sent=sum(load.sent for load in loads),
    )


def best_rate(summary: Summary, *kinds: str) -> float:
    """The highest median of answers/s over these kinds and all numbers of connections; 0 if none was measured."""
    keys = (f"{kind}/{connections}" for kind in kinds for connections in CONNECTIONS)
    return max((summary.closed[key].answered_per_s.median for key in keys if key in summary.closed), default=0.0)


def goals(summaries: Mapping[str, Summary]) -> list[Goal]:
    """This project against the best peer in each goal; no goals if this project or every peer is missing."""
    peers = [one for name, one in summaries.items() if name not in OWN]
    if OURS not in summaries or not peers:
        return []
    own = summaries[OURS]
    return [
        *_pair_goals(own, peers),
        *_columns_goals(own, peers),
        *_best_goals(own, peers),
        _latency_goal(own, peers),
        Goal("start to first answer, s", own.start_s.median, "<=", 3.0),
    ]


def _pair_goals(own: Summary, peers: Sequence[Summary]) -> Iterator[Goal]:
    for connections, wanted in ((1, 1.0), (8, 1.3), (64, 2.0), (256, 2.5)):
        what = f"one pair, {_connections(connections)}: times the best peer"
        yield Goal(what, _times_best(own, peers, f"pair/{connections}"), ">=", wanted)


def _best_goals(own: Summary, peers: Sequence[Summary]) -> Iterator[Goal]:
    best = max(best_rate(one, "best") for one in peers)
    if not best:
        return
    for connections in CONNECTIONS:
        what = f"ten best, {_connections(connections)}: times the best peer"
        yield Goal(what, _times_best(own, peers, f"best/{connections}"), ">=", 1.0)
    what = "ten best, each at its best number of connections: times the best peer"
    yield Goal(what, _ratio(best_rate(own, "best"), best), ">=", 1.3)


def _times_best(own: Summary, peers: Sequence[Summary], key: str) -> float:
    best = max(one.closed[key].answered_per_s.median for one in peers if key in one.closed)
    return _ratio(own.closed[key].answered_per_s.median, best)


def _connections(number: int) -> str:
    return f"{number} connection{'s' if number > 1 else ''}"


def _columns_goals(own: Summary, peers: Sequence[Summary]) -> Iterator[Goal]:
    forms = {"": ("columns", "binary"), ", both as JSON": ("columns",), ", both as raw tensors": ("binary",)}
    for form, kinds in forms.items():
        best = max(best_rate(one, *kinds) for one in peers)
        if best:
            what = f"1,000 pairs, each at its best number of connections{form}: times the best peer"
            yield Goal(what, _ratio(best_rate(own, *kinds), best), ">=", 1.3)


def _latency_goal(own: Summary, peers: Sequence[Summary]) -> Goal:
    lowest = min(one.opened["0.5"].p99_ms.median for one in peers)
    what = "one pair, p99 at half of one's own maximum: share of the lowest peer's"
    return Goal(what, _ratio(own.opened["0.5"].p99_ms.median, lowest), "<", 1.0)


def _ratio(own: float, peer: float) -> float:
    return own / peer if peer else float("inf")
