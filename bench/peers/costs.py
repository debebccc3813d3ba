"""`python -m bench.peers.costs`: the CPU time of one answer, to one pair and to 1,000, by process.

It measures this project and the fastest peer, with one worker each, at 64 and 256 connections. The load generator's CPU
time is included, because it shares the processors with the server.
"""

from __future__ import annotations

import resource
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tqdm import tqdm

from bench import usage
from bench.load import run_wrk
from bench.machine import describe_machine
from bench.markdown import table
from bench.options import check, rounds_parser
from bench.peers.checks import first_answer
from bench.peers.dialects import Ask, Dialect
from bench.peers.judge import Judge
from bench.peers.processes import Running, is_installed
from bench.peers.servers import SERVERS
from bench.peers.tables import TITLES
from bench.peers.versions import peers_versions
from bench.publish import publish
from bench.workloads import draw_asks
from model.artifact import load_artifact

MEASURED = ("ours", "triton")
ASKED = ("pair", "columns", "binary")
CONNECTIONS = (64, 256)
_WARM_UP_S = 20
PARTS = ("front end, user", "front end, kernel", "worker, user", "worker, kernel", "wrk, user", "wrk, kernel")


@dataclass(frozen=True)
class Cost:
    """One load: answers per second, microseconds of CPU for an answer by `PARTS`, and the number of busy cores."""

    kind: str
    connections: int
    answered_per_s: float
    microseconds: Mapping[str, float]
    busy_cores: float


def run(artifact: Path, rounds: int, seconds: int) -> dict[str, list[Cost]]:
    """The costs by "server/kind/connections", one for each round."""
    loaded = load_artifact(artifact)
    asks = draw_asks(loaded)
    judge = Judge(loaded)
    found: dict[str, list[Cost]] = {}
    with tqdm(total=rounds * len(MEASURED) * len(ASKED) * len(CONNECTIONS), unit="load", disable=None) as progress:
        for name in MEASURED:
            dialects = SERVERS[name].dialects
            with (
                tempfile.TemporaryDirectory(prefix="costs-", ignore_cleanup_errors=True) as folder,
                SERVERS[name].start(artifact, Path(folder) / "server") as running,
            ):
                first_answer(running, dialects["pair"], asks["pair"][0], judge)
                for kind in ASKED:
                    for cost in _costs(running, kind, dialects[kind], asks[kind], rounds, seconds):
                        found.setdefault(f"{name}/{kind}/{cost.connections}", []).append(cost)
                        progress.update()
    return found


def _costs(
    running: Running, kind: str, dialect: Dialect, asks: Sequence[Ask], rounds: int, seconds: int
) -> Iterator[Cost]:
    url, bodies, headers = dialect.sent(running.url, asks)
    run_wrk(url, bodies, CONNECTIONS[0], _WARM_UP_S, headers)
    for _ in range(rounds):
        for connections in CONNECTIONS:
            before = _spent_s(running.pid)
            load = run_wrk(url, bodies, connections, seconds, headers)
            spent = [end - begin for begin, end in zip(before, _spent_s(running.pid), strict=True)]
            answers = load.answered_per_s * seconds
            parts = {part: one / answers * 1e6 for part, one in zip(PARTS, spent, strict=True)}
            yield Cost(kind, connections, load.answered_per_s, parts, sum(spent) / seconds)


def _spent_s(pid: int) -> list[float]:
    """CPU seconds spent so far, in the order of PARTS; wrk is this process's child."""
    wrk = resource.getrusage(resource.RUSAGE_CHILDREN)
    return [*usage.cpu_time(pid), wrk.ru_utime, wrk.ru_stime]


def report(found: Mapping[str, Sequence[Cost]]) -> str:
    """The medians over the rounds as a table."""
    rows = []
    for load, costs in found.items():
        name, kind, connections = load.split("/")
        parts = [statistics.median(cost.microseconds[part] for cost in costs) for part in PARTS]
        rate = statistics.median(cost.answered_per_s for cost in costs)
        busy = statistics.median(cost.busy_cores for cost in costs)
        figures = [*(f"{part:.1f}" for part in parts), f"{sum(parts):.1f}", f"{busy:.2f}"]
        rows.append([SERVERS[name].title, TITLES[kind], connections, f"{rate:,.0f}", *figures])
    return table(("server", "asked", "connections", "answers/s", *PARTS, "together, us", "cores busy"), 2, rows)


def main() -> None:
    """Measures, and publishes the section `costs`."""
    parser = rounds_parser("bench.peers.costs", __doc__, rounds=5, seconds=3)
    options = parser.parse_args()
    check(parser, options.artifact, "wrk")
    if absent := [name for name in MEASURED if not is_installed(name)]:
        parser.error(f"not installed: {', '.join(absent)}; `make bench-costs` installs them")
    artifact = options.artifact.resolve()
    machine = describe_machine(artifact)
    machine["versions"] |= peers_versions(MEASURED)
    found = run(artifact, options.rounds, options.seconds)
    costs = {load: [asdict(cost) for cost in one] for load, one in found.items()}
    publish("costs", {**machine, "costs": costs}, report(found), options)


if __name__ == "__main__":
    main()
