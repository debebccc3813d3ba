"""One server in one round: started, its answers checked, then loaded; everything it did as plain values."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench import usage
from bench.load import Load, run_wrk
from bench.open_loop import OpenLoad, run_open_loop
from bench.peers.asks import KINDS, Judge
from bench.peers.checks import check_alone, check_bursts, first_answer, settle
from bench.peers.dialects import Ask, Dialect
from bench.peers.processes import Running
from bench.peers.servers import Server

CONNECTIONS = (1, 8, 64, 256)
SHARES = (0.25, 0.5, 0.75, 0.9)
# Seconds before the first load of a pair at so many connections, and at half load. A JVM compiles what it runs most
# while it runs, for the first minute of load, and its compiler's threads keep requests waiting meanwhile.
WARM_UP_S = {1: 10, 8: 40}
OPEN_WARM_UP_S = 5
# Open loops: so many requests at least, however slow the server, within so many seconds.
LEAST_SENT, LONGEST_S = 500, 10


@dataclass
class Round:
    """Start to the first right answer in s; closed loops by "kind/connections"; open loops of a pair by share of the
    best closed loop; CPU cores and memory of all its processes at half of that; processes that ran or waited on the
    whole machine, on average over the minute before the start (the last server's among them). `error`: why it was not
    measured."""

    start_s: float = 0.0
    loads: dict[str, Load] = field(default_factory=dict)
    open_loads: dict[str, OpenLoad] = field(default_factory=dict)
    cores: float = 0.0
    mib: float = 0.0
    load_average: float = 0.0
    error: str = ""


def cells(server: Server) -> int:
    """How many loads a round of it has, start and check counted as one."""
    return 1 + len(CONNECTIONS) * len(server.dialects) + len(SHARES)


def measure(
    server: Server,
    artifact: Path,
    asks: Mapping[str, list[Ask]],
    checks: Mapping[str, list[Ask]],
    judge: Judge,
    seconds: int,
    seed: int,
    done: Callable[[], object],
) -> Round:
    """Runs one round, whose arrival times are drawn from `seed`.

    A server that does not start, answers wrongly or breaks down gives a Round with an `error`.
    """
    result = Round(load_average=os.getloadavg()[0])
    with tempfile.TemporaryDirectory(prefix="peer-", ignore_cleanup_errors=True) as folder:
        running: Running | None = None
        try:
            with server.start(artifact, Path(folder) / "server") as running:
                try:
                    pair = server.dialects["pair"]
                    result.start_s = first_answer(running, pair, checks["pair"][0], judge)
                    check_alone(running, server.dialects, checks, judge)
                    done()
                    _closed_loops(result, running, server.dialects, asks, seconds, done)
                    _open_loops(result, running, pair, asks["pair"], seconds, seed, done)
                    check_bursts(running, server.dialects, checks, judge)
                except Exception:
                    tail = running.log.read_text(errors="replace").splitlines()[-8:] if running.log.exists() else []
                    print("\n".join(["", f"{server.title}, the end of its log:", *tail]))
                    raise
        except Exception as error:  # whatever goes wrong with one server must not end the others' run
            result.error = f"{type(error).__name__}: {error}"
    return result


def _closed_loops(
    result: Round,
    running: Running,
    dialects: Mapping[str, Dialect],
    asks: Mapping[str, list[Ask]],
    seconds: int,
    done: Callable[[], object],
) -> None:
    for kind in (kind for kind in KINDS if kind in dialects):
        dialect = dialects[kind]
        url, bodies, headers = dialect.sent(running.url, asks[kind])
        for connections in CONNECTIONS:
            # One connection comes before any crowd: BentoML learns from a crowd that waiting pays, and a lone request
            # waits long after.
            if connections in WARM_UP_S:
                warm_up_s = WARM_UP_S[connections] if kind == "pair" else 1
                run_wrk(url, bodies, 1 if connections == 1 else 64, warm_up_s, headers)
            load = run_wrk(url, bodies, connections, seconds, headers)
            if not load.answered_per_s:
                raise RuntimeError(f"{kind}, {connections} connections: no answer in {seconds} s")
            result.loads[f"{kind}/{connections}"] = load
            settle(running, dialect, bodies[0])
            done()


def _open_loops(
    result: Round,
    running: Running,
    dialect: Dialect,
    asks: Sequence[Ask],
    seconds: int,
    seed: int,
    done: Callable[[], object],
) -> None:
    url, bodies, headers = dialect.sent(running.url, asks)
    best = max(result.loads[f"pair/{connections}"].answered_per_s for connections in CONNECTIONS)
    run_open_loop(url, bodies, best / 2, OPEN_WARM_UP_S, CONNECTIONS[-1], seed, headers)
    for share in SHARES:
        rate = share * best
        lasts_s = max(seconds, min(LONGEST_S, LEAST_SENT / rate))
        before = usage.tree(running.pid)
        load = run_open_loop(url, bodies, rate, lasts_s, CONNECTIONS[-1], seed, headers)
        after = usage.tree(running.pid)
        result.open_loads[f"{share:g}"] = load
        if share == 0.5:
            result.cores, result.mib = (after[0] - before[0]) / lasts_s, after[1]
        settle(running, dialect, bodies[0])
        done()
