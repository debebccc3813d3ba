"""Open-loop load: requests leave at Poisson times, whatever the server does, and latency counts from the intended time.

A closed loop sends less while the server is slow and so hides the waiting ("coordinated omission"). Here a request
whose time has come but finds every connection busy waits, and its wait counts.
"""

from __future__ import annotations

import random
import selectors
import socket
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import numpy as np

_DRAIN_S = 10.0


@dataclass(frozen=True)
class OpenLoad:
    """Latencies in milliseconds from the intended send time; `failed` counts answers of 400 and more, and lost ones."""

    rate_per_s: float
    sent: int
    failed: int
    p50_ms: float
    p99_ms: float
    late_p99_ms: float


class _Connection:
    """One keep-alive connection with at most one request under way."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self.intended = 0.0
        self.received = b""
        self.open()

    def open(self) -> None:
        self.socket = socket.create_connection(self._address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, request: bytes, intended: float) -> None:
        self.intended, self.received = intended, b""
        self.socket.sendall(request)

    def receive(self) -> int | None:
        """The status, once the whole answer is there."""
        part = self.socket.recv(262_144)
        if not part:
            return 0
        self.received += part
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found:
            return None
        lower = head.lower()
        start = lower.index(b"content-length:") + 15
        length = int(lower[start:].split(b"\r\n", 1)[0])
        return int(head[9:12]) if len(body) >= length else None


def run_open_loop(
    url: str, bodies: Sequence[bytes], rate_per_s: float, seconds: float, connections: int = 64, seed: int = 0
) -> OpenLoad:
    """Sends `bodies` in turn at a mean rate, for `seconds`, over at most `connections`."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    requests = [_request(parts.path, parts.netloc, body) for body in bodies]
    generator = random.Random(seed)
    times, now = [], 0.0
    while (now := now + generator.expovariate(rate_per_s)) < seconds:
        times.append(now)
    free = deque(_Connection((parts.hostname, parts.port)) for _ in range(connections))
    with selectors.EpollSelector() as selector:
        for connection in free:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        latencies, late = _drive(requests, times, free, selector)
    for connection in free:
        connection.socket.close()
    failed = len(times) - len(latencies)
    p50_ms, p99_ms = (np.percentile(latencies or [float("inf")], [50, 99]) * 1e3).tolist()
    late_p99_ms = float(np.percentile(late or [0.0], 99)) * 1e3
    return OpenLoad(rate_per_s, len(times), failed, p50_ms, p99_ms, late_p99_ms)


def _drive(
    requests: list[bytes],
    times: list[float],
    free: deque[_Connection],
    selector: selectors.EpollSelector,
) -> tuple[list[float], list[float]]:
    """Latencies of what was answered, and lateness of sending, in seconds."""
    connections = len(free)
    latencies: list[float] = []
    late: list[float] = []
    sent, start = 0, time.perf_counter()
    deadline = start + times[-1] + _DRAIN_S
    while (sent < len(times) or len(free) < connections) and time.perf_counter() < deadline:
        while sent < len(times) and free and start + times[sent] <= time.perf_counter():
            intended = start + times[sent]
            free.popleft().send(requests[sent % len(requests)], intended)
            late.append(time.perf_counter() - intended)
            sent += 1
        pause = max(0.0, start + times[sent] - time.perf_counter()) if sent < len(times) and free else 0.05
        for key, _ in selector.select(pause):
            status = key.data.receive()
            if status is None:
                continue
            if status == 200:
                latencies.append(time.perf_counter() - key.data.intended)
            else:  # TorchServe closes the connection after an error
                selector.unregister(key.data.socket)
                key.data.socket.close()
                key.data.open()
                selector.register(key.data.socket, selectors.EVENT_READ, key.data)
            free.append(key.data)
    return latencies, late


def _request(path: str, host: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
