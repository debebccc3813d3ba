"""`python -m bench.serve`: this bundle against a stock TorchServe bundle of the same network, and against its goals.

Every server is started here, one at a time, on this machine, and asked the same bytes by the same generators: wrk for
closed loops, bench/open_loop.py for latency under a given load. Rounds alternate between the servers; a figure is the
median of its rounds. The load generator takes its share of the same processors, as it does for every server.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from bench import usage
from bench.load import Load, run_wrk
from bench.machine import describe_machine, write_results
from bench.markdown import table
from bench.open_loop import OpenLoad, run_open_loop
from bench.options import check, positive
from bench.predictor import pairs_per_s
from bench.servers import ours, stock
from bench.workloads import Workload, workloads
from model.artifact import load_artifact
from ops.process import server
from ops.settings import ServerSettings

Start = Callable[[Path, Path], AbstractContextManager[ServerSettings]]
SERVERS: dict[str, Start] = {
    "default": ours,
    "default, 1 worker": lambda artifact, folder: ours(artifact, folder, workers=1),
    "latency": lambda artifact, folder: ours(artifact, folder, "latency"),
    "stock": stock,
    "stock, 1 worker": lambda artifact, folder: stock(artifact, folder, workers=1),
}
# What each server is asked: workload -> connections.
PLAN: dict[str, dict[str, tuple[int, ...]]] = {
    "default": {"pair": (1, 8, 64, 256), "columns": (8,), "instances": (8,), "best": (64,)},
    "default, 1 worker": {"pair": (64, 256)},
    "latency": {"pair": (1,)},
    "stock": {"pair": (1, 8, 64, 256)},
    "stock, 1 worker": {"pair": (64, 256)},
}


@dataclass
class Measured:
    """What one server did: loads by workload and connections, one per round."""

    loads: dict[str, list[Load]] = field(default_factory=dict)
    open_loads: list[OpenLoad] = field(default_factory=list)
    front_cores: list[float] = field(default_factory=list)
    worker_cores: list[float] = field(default_factory=list)
    front_mib: float = 0.0
    worker_mib: float = 0.0

    def median(self, key: str, figure: str) -> float:
        """The median over rounds of one figure of `key`, as in "pair/64"."""
        return float(statistics.median(getattr(load, figure) for load in self.loads[key]))


def measure(artifact: Path, rounds: int, seconds: float) -> dict[str, Measured]:
    """Runs every server in turn, `rounds` times."""
    asked = workloads(load_artifact(artifact))
    measured = {name: Measured() for name in SERVERS}
    steps = rounds * sum(len(connections) + 1 for plan in PLAN.values() for connections in plan.values())
    with tqdm(total=steps, unit="load", disable=None) as progress:
        for _ in range(rounds):
            for name, start in SERVERS.items():
                with tempfile.TemporaryDirectory() as folder, start(artifact, Path(folder) / "server") as settings:
                    _load(measured[name], settings, PLAN[name], asked, seconds, progress)
    return measured


def _load(
    into: Measured,
    settings: ServerSettings,
    plan: dict[str, tuple[int, ...]],
    asked: dict[str, Workload],
    seconds: float,
    progress: tqdm,
) -> None:
    pid = server.running(settings)
    assert pid is not None
    for name, all_connections in plan.items():
        workload = asked[name]
        url = settings.inference + workload.path
        run_wrk(url, workload.bodies, 16, min(3.0, seconds))  # the JVM compiles what it runs often
        progress.update()
        for connections in all_connections:
            before = usage.measure(pid)
            load = run_wrk(url, workload.bodies, connections, seconds)
            after = usage.measure(pid)
            into.loads.setdefault(f"{name}/{connections}", []).append(load)
            if (name, connections) == ("pair", 64):
                into.front_cores.append((after.front_cpu_s - before.front_cpu_s) / seconds)
                into.worker_cores.append((after.worker_cpu_s - before.worker_cpu_s) / seconds)
            progress.update()
    half = into.median("pair/64", "answered_per_s") / 2 if "pair/64" in into.loads else 100.0
    into.open_loads.append(run_open_loop(settings.inference + asked["pair"].path, asked["pair"].bodies, half, seconds))
    after = usage.measure(pid)
    into.front_mib = max(into.front_mib, after.front_mib)
    into.worker_mib = max(into.worker_mib, after.largest_worker_mib)


def goals(measured: dict[str, Measured], in_process: dict[str, float]) -> list[tuple[str, float, str, float]]:
    """(what, figure, at least or at most, goal) of everything that has a goal."""
    mine, latency = measured["default"], measured["latency"]
    columns, instances = (1_000 * mine.median(f"{name}/8", "answered_per_s") for name in ("columns", "instances"))
    found: list[tuple[str, float, str, float]] = []
    for workers in (", 1 worker", ""):
        own, base = measured[f"default{workers}"], measured[f"stock{workers}"].median("pair/64", "answered_per_s")
        each = workers.removeprefix(", ") or "1 worker per core"
        for connections, goal in ((64, 15), (256, 20)):
            times = own.median(f"pair/{connections}", "answered_per_s") / base
            found.append((f"one pair, {connections} connections, {each} each: times stock at 64", times, ">=", goal))
    return [
        *found,
        ("one pair, 64 connections: p99, ms", mine.median("pair/64", "p99_ms"), "<=", 12),
        ("one pair, 1 connection: p50, ms", mine.median("pair/1", "p50_ms"), "<=", 2),
        ("the same, latency profile", latency.median("pair/1", "p50_ms"), "<=", 0.6),
        ("1,000 pairs as columns, 8 connections: million pairs/s", columns / 1e6, ">=", 1.2),
        ("1,000 pairs as instances: million pairs/s", instances / 1e6, ">=", 0.7),
        ("columns: share of one process without a server", columns / in_process["columns"], ">=", 0.6),
        ("instances: share of one process without a server", instances / in_process["instances"], ">=", 0.6),
        (
            "the ten best of all movies, 64 connections: requests/s",
            mine.median("best/64", "answered_per_s"),
            ">=",
            2000,
        ),
        ("memory of a worker, MiB", mine.worker_mib, "<=", 350),
    ]


def all_loads(measured: dict[str, Measured]) -> str:
    """Every load, as Markdown."""
    columns = ("server", "asked", "connections", "answered/s", "p50 ms", "p99 ms", "refused", "broken")
    return "\n\n".join(
        [table(columns, 2, _closed_rows(measured)), table(_OPEN_COLUMNS, 1, map(_open_row, measured.items()))]
    )


_OPEN_COLUMNS = (
    *("server", "open loop, requests/s", "p50 ms", "p99 ms", "failed"),
    *("JVM cores", "worker cores", "JVM MiB", "worker MiB"),
)


def _closed_rows(measured: dict[str, Measured]) -> Iterator[list[str]]:
    for name, one in measured.items():
        for key, loads in one.loads.items():
            rates = sorted(load.answered_per_s for load in loads)
            rate = f"{one.median(key, 'answered_per_s'):,.0f} ({rates[0]:,.0f} to {rates[-1]:,.0f})"
            times = [f"{one.median(key, figure):.2f}" for figure in ("p50_ms", "p99_ms")]
            lost = [f"{sum(getattr(load, figure) for load in loads):,}" for figure in ("refused", "broken")]
            yield [name, *key.split("/"), rate, *times, *lost]


def _open_row(named: tuple[str, Measured]) -> list[str]:
    name, one = named
    load = sorted(one.open_loads, key=lambda load: load.p99_ms)[len(one.open_loads) // 2]
    cores = [f"{statistics.median(used):.2f}" if used else "" for used in (one.front_cores, one.worker_cores)]
    times = [f"{load.p50_ms:.2f}", f"{load.p99_ms:.2f}", f"{load.failed} of {load.sent:,}"]
    return [name, f"{load.rate_per_s:,.0f}", *times, *cores, f"{one.front_mib:.0f}", f"{one.worker_mib:.0f}"]


def _goal_row(goal: tuple[str, float, str, float]) -> list[str]:
    what, figure, sign, wanted = goal
    met = figure >= wanted if sign == ">=" else figure <= wanted
    return [what, f"{figure:.2f}", f"{sign} {wanted:g}", "met" if met else "**missed**"]


def main() -> None:
    """Measures, prints, and writes bench/results/serve.json and its section of bench/README.md."""
    parser = argparse.ArgumentParser(prog="python -m bench.serve", description=__doc__.splitlines()[0])
    parser.add_argument("--artifact", type=Path, default=Path("build/1.0/ncf.pt"))
    parser.add_argument("--rounds", type=positive, default=3)
    parser.add_argument("--seconds", type=float, default=8.0)
    options = parser.parse_args()
    check(parser, options.artifact, "wrk", "cc")
    artifact = options.artifact.resolve()
    machine = describe_machine(artifact)
    in_process = {name: pairs_per_s(load_artifact(artifact), work) for name, work in _large(artifact).items()}
    measured = measure(artifact, options.rounds, options.seconds)
    reached = goals(measured, in_process)
    text = [all_loads(measured), "", table(("goal", "measured", "wanted", ""), 1, map(_goal_row, reached)), ""]
    text += [f"In one process, one core: {n} {p / 1e6:.2f} million pairs/s." for n, p in in_process.items()]
    print("\n".join(text))
    result: dict[str, Any] = {
        "servers": {name: asdict(one) for name, one in measured.items()},
        "in_process": in_process,
    }
    write_results("serve", {**machine, **result}, "\n".join(text))


def _large(artifact: Path) -> dict[str, Workload]:
    asked = workloads(load_artifact(artifact))
    return {name: asked[name] for name in ("columns", "instances")}


if __name__ == "__main__":
    main()
