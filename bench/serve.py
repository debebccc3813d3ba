"""`python -m bench.serve`: this project against a stock TorchServe bundle of the same network, and against its goals.

Every server starts here, one at a time, and gets the same requests from the same generators: wrk for closed loops,
bench/open_loop.py for latency at a given rate. Each round runs all servers; a figure is the median of its rounds. With
every server, the load generator uses the same processors as the server.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tqdm import tqdm

from bench import usage
from bench.closed_loops import ClosedLoop, closed_loops_table
from bench.goals import Goal, goals_table
from bench.load import Load, run_wrk
from bench.machine import describe_machine
from bench.markdown import Cells, table
from bench.open_loop import OpenLoad, run_open_loop
from bench.options import check, rounds_parser
from bench.predictor import pairs_per_s
from bench.publish import publish
from bench.servers import ours, stock
from bench.workloads import PAIRS, PATH, Workload, workloads
from model.artifact import load_artifact
from ops.process import server
from ops.settings import ServerSettings

Start = Callable[[Path, Path], AbstractContextManager[ServerSettings]]
SERVERS: dict[str, Start] = {
    "default": ours,
    "default, 1 worker": lambda artifact, folder: ours(artifact, folder, workers=1),
    "stock": stock,
    "stock, 1 worker": lambda artifact, folder: stock(artifact, folder, workers=1),
}
# The loads of each server: workload -> numbers of connections.
PLAN: dict[str, dict[str, tuple[int, ...]]] = {
    "default": {"pair": (1, 8, 64, 256), "columns": (8,), "instances": (8,), "best": (64,), "similar": (64,)},
    "default, 1 worker": {"pair": (64, 256)},
    "stock": {"pair": (1, 8, 64, 256)},
    "stock, 1 worker": {"pair": (64, 256)},
}
_WARM_UP_S = 3


@dataclass
class Measured:
    """The loads of one server, one for each round, by "workload/connections"; CPU cores at pair/64; largest memory."""

    loads: dict[str, list[Load]] = field(default_factory=dict)
    open_loads: list[OpenLoad] = field(default_factory=list)
    front_cores: list[float] = field(default_factory=list)
    worker_cores: list[float] = field(default_factory=list)
    front_mib: float = 0.0
    worker_mib: float = 0.0

    def median(self, key: str, figure: str) -> float:
        """The median over rounds of one figure of `key`, as in "pair/64"."""
        return float(statistics.median(getattr(load, figure) for load in self.loads[key]))


def measure(artifact: Path, rounds: int, seconds: int) -> dict[str, Measured]:
    """Runs every server once in each round."""
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
    plan: Mapping[str, tuple[int, ...]],
    asked: Mapping[str, Workload],
    seconds: int,
    progress: tqdm,
) -> None:
    """One round of one server."""
    pid = server.running(settings)
    assert pid is not None
    url = settings.inference + PATH
    for name, all_connections in plan.items():
        bodies = asked[name].bodies
        run_wrk(url, bodies, 16, min(_WARM_UP_S, seconds))  # the JVM compiles the code that runs often
        progress.update()
        for connections in all_connections:
            before = usage.cpu_time(pid)
            load = run_wrk(url, bodies, connections, seconds)
            after = usage.cpu_time(pid)
            into.loads.setdefault(f"{name}/{connections}", []).append(load)
            if (name, connections) == ("pair", 64):
                spent = usage.CpuTime(*(end - begin for begin, end in zip(before, after, strict=True)))
                into.front_cores.append((spent.front_user_s + spent.front_kernel_s) / seconds)
                into.worker_cores.append((spent.worker_user_s + spent.worker_kernel_s) / seconds)
            progress.update()
    rate = into.median("pair/64", "answered_per_s") / 2
    into.open_loads.append(run_open_loop(url, asked["pair"].bodies, rate, seconds))
    memory = usage.memory(pid)
    into.front_mib = max(into.front_mib, memory.front_mib)
    into.worker_mib = max(into.worker_mib, memory.largest_worker_mib)


def goals(measured: Mapping[str, Measured], in_process: Mapping[str, float]) -> list[Goal]:
    """The figures that have a goal. `in_process`: pairs per second of one process without a server, by workload."""
    mine = measured["default"]
    columns = PAIRS * mine.median("columns/8", "answered_per_s")
    instances = PAIRS * mine.median("instances/8", "answered_per_s")
    best = mine.median("best/64", "answered_per_s")
    similar = mine.median("similar/64", "answered_per_s")
    return [
        *_goals_against_stock(measured["default, 1 worker"], measured["stock, 1 worker"], "1 worker each"),
        *_goals_against_stock(measured["default"], measured["stock"], "1 worker per core each"),
        Goal("one pair, 64 connections: p99, ms", mine.median("pair/64", "p99_ms"), "<=", 12),
        Goal("one pair, 1 connection: p50, ms", mine.median("pair/1", "p50_ms"), "<=", 0.6),
        Goal("1,000 pairs as columns, 8 connections: million pairs/s", columns / 1e6, ">=", 1.2),
        Goal("1,000 pairs as instances: million pairs/s", instances / 1e6, ">=", 0.7),
        Goal("columns: share of one process without a server", columns / in_process["columns"], ">=", 0.6),
        Goal("instances: share of one process without a server", instances / in_process["instances"], ">=", 0.6),
        Goal("the ten best of all movies, 64 connections: requests/s", best, ">=", 2000),
        Goal("the ten movies most similar to one, 64 connections: requests/s", similar, ">=", 10_000),
        Goal("memory of a worker, MiB", mine.worker_mib, "<=", 350),
    ]


def _goals_against_stock(own: Measured, base: Measured, workers: str) -> Iterator[Goal]:
    stock_at_64 = base.median("pair/64", "answered_per_s")
    for connections, wanted in ((64, 15), (256, 20)):
        times = own.median(f"pair/{connections}", "answered_per_s") / stock_at_64
        yield Goal(f"one pair, {connections} connections, {workers}: times stock at 64", times, ">=", wanted)


def open_loops_table(measured: Mapping[str, Measured]) -> str:
    """The open loops, with cores and memory. Each server has the round with its median p99."""
    latencies = ("server", "open loop, requests/s", "p50 ms", "p99 ms", "failed")
    costs = ("JVM cores", "worker cores", "JVM MiB", "worker MiB")
    return table((*latencies, *costs), 1, (_open_row(name, one) for name, one in measured.items()))


def _open_row(name: str, one: Measured) -> Cells:
    load = sorted(one.open_loads, key=lambda load: load.p99_ms)[len(one.open_loads) // 2]
    times = (f"{load.p50_ms:.2f}", f"{load.p99_ms:.2f}", f"{load.failed} of {load.sent:,}")
    cores = [f"{statistics.median(used):.2f}" if used else "" for used in (one.front_cores, one.worker_cores)]
    return name, f"{load.rate_per_s:,.0f}", *times, *cores, f"{one.front_mib:.0f}", f"{one.worker_mib:.0f}"


def main() -> None:
    """Measures, and publishes the section `serve`."""
    parser = rounds_parser("bench.serve", __doc__, rounds=3, seconds=8)
    options = parser.parse_args()
    check(parser, options.artifact, "wrk", "cc")
    path = options.artifact.resolve()
    machine = describe_machine(path)
    artifact = load_artifact(path)
    asked = workloads(artifact)
    in_process = {name: pairs_per_s(artifact, asked[name]) for name in ("columns", "instances")}
    measured = measure(path, options.rounds, options.seconds)
    alone = [f"In one process, one core: {name} {rate / 1e6:.2f} million pairs/s." for name, rate in in_process.items()]
    closed = {name: {key: ClosedLoop.of(loads) for key, loads in one.loads.items()} for name, one in measured.items()}
    tables = [closed_loops_table(closed), open_loops_table(measured), goals_table(goals(measured, in_process))]
    servers = {name: asdict(one) for name, one in measured.items()}
    text = "\n\n".join([*tables, "\n".join(alone)])
    publish("serve", {**machine, "servers": servers, "in_process": in_process}, text, options)


if __name__ == "__main__":
    main()
