"""One server in one round: started, its answers checked, then loaded; everything it did as plain values."""

from __future__ import annotations

import http.client
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from bench import usage
from bench.load import Load, run_wrk
from bench.open_loop import OpenLoad, drive, run_open_loop
from bench.peers.asks import KINDS, Judge, WrongAnswerError
from bench.peers.dialects import Ask, Dialect
from bench.peers.processes import Running
from bench.peers.servers import Server

CONNECTIONS = (1, 8, 64, 256)
SHARES = (0.25, 0.5, 0.75, 0.9)
START_TIMEOUT_S = 60.0
ANSWER_TIMEOUT_S = 30.0
# A JVM compiles what it runs most while it runs; after this it has.
WARM_UP_S = 6


@dataclass
class Round:
    """Start to the first right answer in s; closed loops by "kind/connections"; open loops of a pair by share of the
    best closed loop; CPU cores and memory of all its processes at half of that. `error`: why it was not measured."""

    start_s: float = 0.0
    loads: dict[str, Load] = field(default_factory=dict)
    open_loads: dict[str, OpenLoad] = field(default_factory=dict)
    cores: float = 0.0
    mib: float = 0.0
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
    done: Callable[[], object],
) -> Round:
    """Runs one round; a server that does not start, answers wrongly or breaks down gives a Round with an `error`."""
    result = Round()
    with tempfile.TemporaryDirectory(prefix="peer-", ignore_cleanup_errors=True) as folder:
        running: Running | None = None
        try:
            with server.start(artifact, Path(folder) / "server") as running:
                try:
                    pair = server.dialects["pair"]
                    result.start_s = first_answer(running, pair, checks["pair"][0], judge)
                    _check(running, server.dialects, checks, judge)
                    done()
                    _closed_loops(result, running, server.dialects, asks, seconds, done)
                    _open_loops(result, running, pair, asks["pair"], seconds, done)
                except Exception:
                    tail = running.log.read_text(errors="replace").splitlines()[-8:] if running.log.exists() else []
                    print("\n".join(["", f"{server.title}, the end of its log:", *tail]))
                    raise
        except Exception as error:  # whatever goes wrong with one server must not end the others' run
            result.error = f"{type(error).__name__}: {error}"
    return result


def ask(url: str, dialect: Dialect, body: bytes, timeout_s: float = ANSWER_TIMEOUT_S) -> tuple[bytes, bytes]:
    """Asks once; the answer's head, lower case, and body.

    Raises:
        OSError: no answer.
        WrongAnswerError: a status other than 200.
    """
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=timeout_s)
    try:
        headers = {"Content-Type": "application/json", **dialect.headers(body)}
        connection.request("POST", dialect.path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
    except http.client.HTTPException as error:
        raise ConnectionError(f"broken answer: {error!r}") from error
    finally:
        connection.close()
    if answer.status != 200:
        raise WrongAnswerError(f"{dialect.path}: status {answer.status}: {content[:300]!r}")
    return _head(f"{name}: {value}" for name, value in answer.getheaders()), content


def _head(lines: Iterable[str]) -> bytes:
    return "\r\n".join(lines).lower().encode() + b"\r\n"


def first_answer(running: Running, dialect: Dialect, first: Ask, judge: Judge) -> float:
    """Asks until the answer is right; seconds since the start of the server.

    Raises:
        RuntimeError: it ended.
        TimeoutError: no right answer within START_TIMEOUT_S.
    """
    body = dialect.write(first)
    deadline = running.started + START_TIMEOUT_S
    last: Exception | None = None
    while time.monotonic() < deadline:
        try:
            judge.check(first, dialect.read(*ask(running.url, dialect, body, 5.0)))
            return time.monotonic() - running.started
        except (OSError, WrongAnswerError) as error:
            last = error
        if not psutil.pid_exists(running.pid) or psutil.Process(running.pid).status() == psutil.STATUS_ZOMBIE:
            raise RuntimeError("the server ended while starting")
        time.sleep(0.05)
    raise TimeoutError(f"no right answer within {START_TIMEOUT_S:g} s: {last}")


def _check(running: Running, dialects: Mapping[str, Dialect], checks: Mapping[str, list[Ask]], judge: Judge) -> None:
    """Each ask alone, then all pairs at once over 32 connections, so that answers come from batches."""
    for kind, dialect in dialects.items():
        for one in checks[kind][-25:]:
            judge.check(one, dialect.read(*ask(running.url, dialect, dialect.write(one))))
    dialect = dialects["pair"]
    sent = [dialect.write(one) for one in checks["pair"]]
    many = drive(
        running.url + dialect.path, sent, 400, 0.5, 32, headers=dialect.headers(sent[0]), timeout_s=30, keep=True
    )
    for place, status, response in zip(many.request.tolist(), many.status.tolist(), many.responses, strict=True):
        if status != 200:
            raise WrongAnswerError(f"status {status} at 400 requests/s: {response[:300]!r}")
        head, _, body = response.partition(b"\r\n\r\n")
        judge.check(checks["pair"][place], dialect.read(head.lower() + b"\r\n", body))


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
        bodies = [dialect.write(one) for one in asks[kind]]
        url, headers = running.url + dialect.path, dialect.headers(bodies[0])
        run_wrk(url, bodies, 64, WARM_UP_S if kind == "pair" else 1, headers)
        for connections in CONNECTIONS:
            result.loads[f"{kind}/{connections}"] = run_wrk(url, bodies, connections, seconds, headers)
            _settle(running, dialect, bodies[0])
            done()


def _open_loops(
    result: Round, running: Running, dialect: Dialect, asks: Sequence[Ask], seconds: int, done: Callable[[], object]
) -> None:
    bodies = [dialect.write(one) for one in asks]
    best = max(result.loads[f"pair/{connections}"].answered_per_s for connections in CONNECTIONS)
    for share in SHARES:
        before, begin = usage.tree(running.pid), time.monotonic()
        load = run_open_loop(
            running.url + dialect.path, bodies, share * best, seconds, headers=dialect.headers(bodies[0])
        )
        after, end = usage.tree(running.pid), time.monotonic()
        result.open_loads[f"{share:g}"] = load
        if share == 0.5:
            result.cores, result.mib = (after[0] - before[0]) / (end - begin), after[1]
        _settle(running, dialect, bodies[0])
        done()


def _settle(running: Running, dialect: Dialect, body: bytes) -> None:
    """Waits until the server has answered what the last load left waiting, and answers again."""
    deadline = time.monotonic() + ANSWER_TIMEOUT_S
    while True:
        try:
            ask(running.url, dialect, body)
        except (OSError, WrongAnswerError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
