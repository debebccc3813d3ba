"""The tables of a comparison: the goals, then every figure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from bench.closed_loops import ClosedLoop, closed_loops_table
from bench.goals import Goal, goals_table
from bench.markdown import Cells, table
from bench.peers.servers import SERVERS
from bench.peers.summary import Summary, best_rate

TITLES = {"pair": "pair", "columns": "1,000 pairs, JSON", "binary": "1,000 pairs, raw tensors", "best": "ten best"}


def report(summaries: Mapping[str, Summary], goals: Sequence[Goal], errors: Mapping[str, Sequence[str]]) -> str:
    """All tables as Markdown; `errors` are those of failed rounds, by server."""
    parts = [
        *([goals_table(goals)] if goals else []),
        table(_OVERVIEW, 1, (_overview_row(name, one) for name, one in summaries.items())),
        closed_loops_table({SERVERS[name].title: _named(one.closed) for name, one in summaries.items()}),
        table(_OPEN, 1, (row for name, one in summaries.items() for row in _open_rows(name, one))),
    ]
    failed = [
        f"{SERVERS[name].title}, {number} rounds: {error}"
        for name, found in errors.items()
        for error, number in Counter(found).items()
    ]
    if failed:
        parts.append("Failed rounds:\n\n" + "\n".join(f"- {line}" for line in failed))
    return "\n\n".join(parts)


_OVERVIEW = (
    "server",
    "pairs one by one, best/s",
    "million pairs/s in columns, best",
    "ten best, best/s",
    "p99 ms at half load",
    "cores at half load",
    "MiB",
    "start to first answer, s",
)
_OPEN = ("server", "share of its maximum", "requests/s", "p50 ms", "p99 ms", "sent late, p99 ms", "failed")


def _overview_row(name: str, one: Summary) -> Cells:
    pairs = best_rate(one, "pair")
    best = best_rate(one, "best")
    columns = best_rate(one, "columns", "binary") / 1e3
    figures = (f"{pairs:,.0f}", f"{columns:.2f}" if columns else "", f"{best:,.0f}" if best else "")
    costs = (
        f"{one.opened['0.5'].p99_ms.median:.1f}",
        f"{one.cores:.2f}",
        f"{one.mib:,.0f}",
        f"{one.start_s:.1f}",
    )
    return SERVERS[name].title, *figures, *costs


def _named(closed: Mapping[str, ClosedLoop]) -> dict[str, ClosedLoop]:
    """The closed loops with the title of their kind in place of its name."""
    kinds = {key: key.partition("/") for key in closed}
    return {f"{TITLES[kind]}/{connections}": closed[key] for key, (kind, _, connections) in kinds.items()}


def _open_rows(name: str, one: Summary) -> Iterator[Cells]:
    for share, load in one.opened.items():
        times = (f"{load.p50_ms:.2f}", f"{load.p99_ms:.2f}", f"{load.late_p99_ms:.2f}")
        rate = f"{load.rate_per_s:,.0f}"
        failed = f"{load.failed:,} of {load.sent:,}"
        yield SERVERS[name].title, f"{float(share):.0%}", rate, *times, failed
