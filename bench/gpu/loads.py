"""Closed loops by what this machine has: wrk, the program of bench/open_loop.c, or Python."""

from __future__ import annotations

import http.client
import itertools
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple
from urllib.parse import urlsplit

import numpy as np

from bench.load import Load, run_wrk
from bench.open_loop import send_at

Send = Callable[[str, Sequence[bytes], int, int], Load]
_TIMEOUT_S = 10.0
# The most requests of one load by the C program, whose plan and outcomes lie in memory.
_MOST_REQUESTS = 1_000_000
_NOBODY = "http://127.0.0.1:1/"


class Sender(NamedTuple):
    """What sends: its name, and `send(url, bodies, connections, seconds)`."""

    name: str
    send: Send


def find_sender() -> Sender:
    """The best sender that this machine has."""
    if shutil.which("wrk"):
        return Sender("wrk", run_wrk)
    if _has_program():
        return Sender("the program bench/open_loop.c", send_by_c)
    return Sender("Python, which may be slower than the server,", send_by_python)


def send_by_c(url: str, bodies: Sequence[bytes], connections: int, seconds: int) -> Load:
    """A load of about `seconds`: it sends a number of requests, which a first load finds.

    Raises:
        RuntimeError: the program failed.
    """
    first = _send_number(url, bodies, connections, 4 * connections)
    number = min(max(connections, round(first.answered_per_s * seconds)), _MOST_REQUESTS)
    return _send_number(url, bodies, connections, number)


def send_by_python(url: str, bodies: Sequence[bytes], connections: int, seconds: int) -> Load:
    """A thread for each connection. One core of Python sends some thousand requests a second."""
    parts = urlsplit(url)
    started = time.monotonic()

    def ask(first: int) -> list[tuple[int, float]]:
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=_TIMEOUT_S)
        found = []
        for turn in itertools.count(first, connections):
            began = time.monotonic()
            if began >= started + seconds:
                break
            found.append((_status(connection, parts.path, bodies[turn % len(bodies)]), time.monotonic() - began))
        connection.close()
        return found

    with ThreadPoolExecutor(connections) as threads:
        outcomes = np.array([one for found in threads.map(ask, range(connections)) for one in found])
    return load_of(connections, outcomes[:, 0], outcomes[:, 1], time.monotonic() - started)


def load_of(connections: int, status: np.ndarray, waited_s: np.ndarray, lasted_s: float) -> Load:
    """The figures of a load from the status and the waiting time of each request (R,); status 0 is a broken one."""
    refused, broken = int((status >= 400).sum()), int((status == 0).sum())
    answered = waited_s[(status != 0) & (status < 400)]
    p50_ms, p99_ms = (np.percentile(answered, [50, 99]) * 1e3).tolist() if len(answered) else (np.inf, np.inf)
    return Load(connections, len(answered) / lasted_s, p50_ms, p99_ms, refused, broken)


def _send_number(url: str, bodies: Sequence[bytes], connections: int, number: int) -> Load:
    answers = send_at(np.zeros(number), url, bodies, connections, timeout_s=6 * _TIMEOUT_S)
    return load_of(connections, answers.status, answers.latency_s - answers.sent_s, float(answers.latency_s.max()))


def _status(connection: http.client.HTTPConnection, path: str, body: bytes) -> int:
    """The status of the answer; 0 if the connection broke, which the next request opens again."""
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        connection.close()
        return 0
    return answer.status


def _has_program() -> bool:
    """Whether the C program runs here: it is there, or can be compiled, and this system has the calls it needs."""
    try:
        send_at(np.zeros(1), _NOBODY, [b"{}"], connections=1)
    except (OSError, RuntimeError, subprocess.CalledProcessError):
        return False
    return True
