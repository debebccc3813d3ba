"""The faults that a server must survive under load."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import numpy as np

from bench.soak.bundle import Bundle
from bench.soak.traffic import Tally, Traffic

# Seconds of load before the fault.
LEAD_S = 2.0


@dataclass(frozen=True)
class Fault:
    """A fault, and the seconds of load after its start."""

    name: str
    seconds: float
    inject: Callable[[Bundle], None]


@dataclass(frozen=True)
class Survived:
    """The effects of a fault.

    again_s: seconds from the fault to the first right answer after the last bad one; 0 if there was no bad answer, None
        if no right answer came before the load ended.
    """

    name: str
    at_s: float
    tally: Tally
    longest_s: float
    again_s: float | None


def survive(traffic: Traffic, bundle: Bundle, fault: Fault, rate_per_s: float) -> Survived:
    """Injects a fault under load.

    Raises:
        RuntimeError: the fault could not be injected, or it did not end.
    """
    begun: list[float] = []
    problems: list[Exception] = []

    def inject() -> None:
        time.sleep(LEAD_S)
        begun.append(time.monotonic())
        try:
            fault.inject(bundle)
        except Exception as error:
            problems.append(error)

    thread = threading.Thread(target=inject, daemon=True, name="fault")
    thread.start()
    outcome = traffic.send(rate_per_s, LEAD_S + fault.seconds)
    thread.join(fault.seconds + 60)
    if problems or thread.is_alive():
        raise RuntimeError(f"the fault did not go as planned: {fault.name}: {problems or 'it has not ended'}")
    bad = outcome.ended_s[~outcome.good]
    again_s: float | None = 0.0
    if len(bad):
        right = outcome.ended_s[outcome.good & (outcome.ended_s > bad.max())]
        again_s = float(right.min()) - begun[0] if len(right) else None
    return Survived(fault.name, begun[0], outcome.tally, float(np.max(outcome.latency_s, initial=0.0)), again_s)


def kill_worker(bundle: Bundle) -> None:
    """Kills one worker with SIGKILL."""
    os.kill(bundle.workers()[0], signal.SIGKILL)


def kill_all_workers(bundle: Bundle) -> None:
    """Kills all workers at once with SIGKILL."""
    for pid in bundle.workers():
        os.kill(pid, signal.SIGKILL)


def kill_front_end(bundle: Bundle) -> None:
    """Kills the JVM with SIGKILL, so that the supervisor has to start another."""
    os.kill(bundle.front_end(), signal.SIGKILL)


def slow_clients(number: int, seconds: float) -> Callable[[Bundle], None]:
    """`number` clients that each send one byte a second, and never a whole request."""

    def inject(bundle: Bundle) -> None:
        clients = [connect(bundle) for _ in range(number)]
        head = b"POST /predictions/ncf HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
        for place in range(int(seconds)):
            for client in clients:
                client.sendall(head[place % len(head) :][:1])
            time.sleep(1)
        for client in clients:
            client.close()

    return inject


def vanishing_clients(per_s: int, seconds: float) -> Callable[[Bundle], None]:
    """`per_s` clients a second that ask for a long answer and leave. Every second one leaves while it is sending."""

    def inject(bundle: Bundle) -> None:
        body = b'{"user_id": 1, "top_k": 1000}'
        request = b"POST /predictions/ncf HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        for place in range(int(per_s * seconds)):
            with connect(bundle) as client:
                client.sendall(request if place % 2 else request[:-5])
            time.sleep(1 / per_s)

    return inject


def connect(bundle: Bundle) -> socket.socket:
    """A connection to the server, which waits 10 s at most."""
    address = urlsplit(bundle.settings.inference)
    return socket.create_connection((str(address.hostname), int(address.port or 80)), timeout=10)
