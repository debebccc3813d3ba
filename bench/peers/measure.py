"""One round of one server: start it, check its answers, and put it under load."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench import usage
from bench.load import Load, run_wrk
from bench.open_loop import OpenLoad, run_open_loop
from bench.peers.checks import check_alone, check_bursts, first_answer, settle
from bench.peers.dialects import Ask
from bench.peers.judge import Judge, asks_to_check
from bench.peers.processes import Running
from bench.peers.servers import Server
from bench.workloads import draw_asks
from model.artifact import load_artifact

CONNECTIONS = (1, 8, 64, 256)
SHARES = (0.25, 0.5, 0.75, 0.9)
# Seconds of load before the first pairs at this many connections, and before the open loops. A JVM compiles code in the
# first minute of load, and the threads of its compiler delay requests meanwhile.
WARM_UP_S = {1: 10, 8: 40}
OPEN_WARM_UP_S = 5
# An open loop sends at least this many requests even to a slow server, unless that takes longer than LONGEST_S.
LEAST_SENT = 500
LONGEST_S = 10


@dataclass(frozen=True)
class Setup:
    """The inputs that all servers of a run share: model, asks by kind, asks to check, and the seconds of a load."""

    artifact: Path
    asks: Mapping[str, list[Ask]]
    checks: Mapping[str, list[Ask]]
    judge: Judge
    seconds: int


def set_up(artifact: Path, seconds: int) -> Setup:
    """Draws the asks from the artifact's ids."""
    loaded = load_artifact(artifact)
    asks = draw_asks(loaded)
    return Setup(artifact, asks, asks_to_check(asks, loaded), Judge(loaded), seconds)


@dataclass
class Round:
    """The figures of one server in one round.

    start_s: seconds from the start to the first right answer.
    loads: the closed loops, by "kind/connections".
    open_loads: the open loops of a pair, by share of the best closed loop.
    cores, mib: CPU cores and memory of all the server's processes, at half of the best closed loop.
    load_average: the processes that ran or waited on the machine, on average over the minute before the start.
    error: why the server was not measured; empty if it was.
    """

    start_s: float = 0.0
    loads: dict[str, Load] = field(default_factory=dict)
    open_loads: dict[str, OpenLoad] = field(default_factory=dict)
    cores: float = 0.0
    mib: float = 0.0
    load_average: float = 0.0
    error: str = ""


def steps(server: Server) -> int:
    """The number of steps of a round: one for start and check, and one for each load."""
    return 1 + len(CONNECTIONS) * len(server.dialects) + len(SHARES)


def measure(server: Server, setup: Setup, seed: int, done: Callable[[], object]) -> Round:
    """Runs one round, with arrival times drawn from `seed`; calls `done` after each step.

    If a server does not start, gives a wrong answer or fails, the Round has an `error`.
    """
    result = Round(load_average=os.getloadavg()[0])
    with tempfile.TemporaryDirectory(prefix="peer-", ignore_cleanup_errors=True) as folder:
        try:
            with server.start(setup.artifact, Path(folder) / "server") as running:
                try:
                    _measure(result, server, running, setup, seed, done)
                except Exception:
                    _print_log(server, running)
                    raise
        except Exception as error:  # an error of one server must not end the run of the others
            result.error = f"{type(error).__name__}: {error}"
    return result


def _measure(
    result: Round, server: Server, running: Running, setup: Setup, seed: int, done: Callable[[], object]
) -> None:
    result.start_s = first_answer(running, server.dialects["pair"], setup.checks["pair"][0], setup.judge)
    check_alone(running, server.dialects, setup.checks, setup.judge)
    done()
    _closed_loops(result, server, running, setup, done)
    _open_loops(result, server, running, setup, seed, done)
    # Bursts come last: after one, a server that adapts its batches may keep waiting for more requests.
    check_bursts(running, server.dialects, setup.checks, setup.judge)


def _closed_loops(result: Round, server: Server, running: Running, setup: Setup, done: Callable[[], object]) -> None:
    for kind, dialect in server.dialects.items():
        url, bodies, headers = dialect.sent(running.url, setup.asks[kind])
        for connections in CONNECTIONS:
            if connections in WARM_UP_S:
                warm_up_s = WARM_UP_S[connections] if kind == "pair" else 1
                run_wrk(url, bodies, 1 if connections == 1 else 64, warm_up_s, headers)
            load = run_wrk(url, bodies, connections, setup.seconds, headers)
            if not load.answered_per_s:
                raise RuntimeError(f"{kind}, {connections} connections: no answer in {setup.seconds} s")
            result.loads[f"{kind}/{connections}"] = load
            settle(running, dialect, bodies[0])
            done()


def _open_loops(
    result: Round, server: Server, running: Running, setup: Setup, seed: int, done: Callable[[], object]
) -> None:
    dialect = server.dialects["pair"]
    url, bodies, headers = dialect.sent(running.url, setup.asks["pair"])
    best = max(result.loads[f"pair/{connections}"].answered_per_s for connections in CONNECTIONS)
    run_open_loop(url, bodies, best / 2, OPEN_WARM_UP_S, CONNECTIONS[-1], seed, headers)
    for share in SHARES:
        rate = share * best
        lasts_s = max(setup.seconds, min(LONGEST_S, LEAST_SENT / rate))
        cpu_before_s, _ = usage.whole_server(running.pid)
        load = run_open_loop(url, bodies, rate, lasts_s, CONNECTIONS[-1], seed, headers)
        cpu_after_s, mib = usage.whole_server(running.pid)
        result.open_loads[f"{share:g}"] = load
        if share == 0.5:
            result.cores = (cpu_after_s - cpu_before_s) / lasts_s
            result.mib = mib
        settle(running, dialect, bodies[0])
        done()


def _print_log(server: Server, running: Running) -> None:
    lines = running.log.read_text(errors="replace").splitlines() if running.log.exists() else []
    print("\n".join(["", f"{server.title}: the end of its log:", *lines[-8:]]))
