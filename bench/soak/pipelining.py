"""HTTP pipelining: clients that send several requests before they read an answer, beside ordinary load."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from operator import add

from bench.soak.bundle import Bundle
from bench.soak.faults import LEAD_S, Fault, Survived, connect, survive
from bench.soak.phases import Step
from bench.soak.traffic import Traffic

_CLIENTS = 8
# Requests that a client sends before it reads an answer.
_AHEAD = 20
# The ordinary load comes in stretches of this length, because all its answers are kept until they are checked.
_STRETCH_S = 15.0
_LENGTH = re.compile(rb"\r\ncontent-length: ([0-9]+)\r\n", re.IGNORECASE)


def pipeline(traffic: Traffic, bundle: Bundle, rate_per_s: float, seconds: float, step: Step) -> Survived:
    """Measures how pipelining clients affect ordinary clients.

    Raises:
        RuntimeError: a pipelining client missed an answer.
    """
    found: list[Survived] = []
    left = seconds
    while left > 0:
        stretch = min(_STRETCH_S, left)
        fault = Fault(f"{_CLIENTS} clients send {_AHEAD} requests ahead", stretch, _clients_ahead(traffic, stretch))
        found.append(survive(traffic, bundle, fault, rate_per_s))
        step(LEAD_S + stretch)
        left -= stretch
    again = [one.again_s for one in found]
    return Survived(
        name=found[0].name,
        at_s=found[0].at_s,
        tally=reduce(add, [one.tally for one in found]),
        longest_s=max(one.longest_s for one in found),
        again_s=None if None in again else max(seconds for seconds in again if seconds is not None),
    )


def _clients_ahead(traffic: Traffic, seconds: float) -> Callable[[Bundle], None]:
    def inject(bundle: Bundle) -> None:
        end = time.monotonic() + seconds
        with ThreadPoolExecutor(_CLIENTS) as pool:
            clients = [pool.submit(_send_ahead, bundle, traffic.bodies[place], end) for place in range(_CLIENTS)]
        for client in clients:
            client.result()

    return inject


def _send_ahead(bundle: Bundle, body: bytes, end: float) -> None:
    """One client: it sends some requests, reads all their answers, and repeats this."""
    head = b"POST /predictions/ncf HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    request = head % len(body) + body
    with connect(bundle) as connection:
        while time.monotonic() < end:
            connection.sendall(_AHEAD * request)
            _read_answers(connection)


def _read_answers(connection: socket.socket) -> None:
    received = b""
    for number in range(_AHEAD):
        while b"\r\n\r\n" not in received:
            received += _more(connection, number)
        head, _, received = received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head + b"\r\n")
        if not head.startswith(b"HTTP/1.1 200") or length is None:
            raise RuntimeError(f"answer {number + 1} of {_AHEAD}: {head.splitlines()[0].decode('latin-1')}")
        while len(received) < int(length[1]):
            received += _more(connection, number)
        received = received[int(length[1]) :]
    if received:
        raise RuntimeError(f"{len(received)} bytes after the last of {_AHEAD} answers")


def _more(connection: socket.socket, number: int) -> bytes:
    part = connection.recv(65_536)
    if not part:
        raise RuntimeError(f"the connection ended after {number} of {_AHEAD} answers")
    return part
