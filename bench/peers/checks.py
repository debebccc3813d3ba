"""Checks that a server's answers are right: one request at a time, and many at once."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlsplit

import psutil

from bench.open_loop import drive
from bench.peers.dialects import Ask, Dialect
from bench.peers.judge import Judge, WrongAnswerError
from bench.peers.processes import Running

# The numbers of requests at once, such that a server answers even the larger kinds within a second.
BURSTS = {"pair": (64, 256), "columns": (64,), "binary": (64,), "best": (64,)}
_REFUSED = (429, 503)
START_TIMEOUT_S = 60.0
ANSWER_TIMEOUT_S = 30.0


def ask(url: str, dialect: Dialect, body: bytes, timeout_s: float = ANSWER_TIMEOUT_S) -> tuple[bytes, bytes]:
    """Sends one request; returns the answer's head, in lower case, and its body.

    Raises:
        OSError: there is no answer.
        WrongAnswerError: the status is not 200.
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
    """Repeats a request until its answer is right; returns the seconds since the start of the server.

    Raises:
        RuntimeError: the server ended.
        TimeoutError: there is no right answer within START_TIMEOUT_S.
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


def check_alone(
    running: Running, dialects: Mapping[str, Dialect], checks: Mapping[str, list[Ask]], judge: Judge
) -> None:
    """Checks one request at a time."""
    for kind, dialect in dialects.items():
        for one in checks[kind]:
            judge.check(one, dialect.read(*ask(running.url, dialect, dialect.write(one))))


def check_bursts(
    running: Running, dialects: Mapping[str, Dialect], checks: Mapping[str, list[Ask]], judge: Judge
) -> None:
    """Checks many requests of a kind at once, each over its own connection, so that the answers come from batches."""
    for kind, dialect in dialects.items():
        for number in BURSTS[kind]:
            try:
                _check_burst(running, dialect, checks[kind], number, judge)
            except WrongAnswerError as error:
                raise WrongAnswerError(f"in a burst of {number}, {kind}: {error}") from error


def _check_burst(running: Running, dialect: Dialect, asks: Sequence[Ask], number: int, judge: Judge) -> None:
    """Checks one burst. The server may refuse some of the requests, but must answer at least one."""
    url, bodies, headers = dialect.sent(running.url, asks)
    many = drive(url, bodies, 1e6, number / 1e6, number, 0, headers, ANSWER_TIMEOUT_S, keep=True)
    answered = 0
    for place, status, response in zip(many.request.tolist(), many.status.tolist(), many.responses, strict=True):
        if status in _REFUSED:
            continue
        if status != 200:
            raise WrongAnswerError(f"status {status}: {response[:300]!r}")
        head, _, body = response.partition(b"\r\n\r\n")
        judge.check(asks[place], dialect.read(head.lower() + b"\r\n", body))
        answered += 1
    if not answered:
        raise WrongAnswerError("every request was refused")
    settle(running, dialect, bodies[0])


def settle(running: Running, dialect: Dialect, body: bytes) -> None:
    """Waits until the server has finished the last load and answers again."""
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
