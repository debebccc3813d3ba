"""The senders of closed loops, against an HTTP server of the standard library."""

import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest

from bench.gpu.loads import Send, find_sender, load_of, send_by_c, send_by_python
from tests.bench.http_server import serving

SENDERS = [
    pytest.param(send_by_c, marks=pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")),
    send_by_python,
]


class Counting(BaseHTTPRequestHandler):
    """Answers with the body, and refuses some; counts the requests and the connections."""

    protocol_version = "HTTP/1.1"
    requests = 0
    clients: set[tuple[str, int]] = set()  # noqa: RUF012  # of all handlers

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Counting.requests += 1
        Counting.clients.add(self.client_address)
        self.send_response(503 if body == b"refuse" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def url() -> Iterator[str]:
    Counting.requests, Counting.clients = 0, set()
    with serving(Counting) as address:
        yield address


@pytest.mark.parametrize("send", SENDERS)
def test_every_connection_sends_until_the_end(send: Send, url: str) -> None:
    load = send(url, [b"one", b"two"], 5, 1)
    assert (load.connections, load.refused, load.broken) == (5, 0, 0)
    assert load.answered_per_s > 5
    assert 0 < load.p50_ms <= load.p99_ms < 10_000
    assert len(Counting.clients) >= 5


@pytest.mark.parametrize("send", SENDERS)
def test_refused_requests_do_not_count_as_answers(send: Send, url: str) -> None:
    load = send(url, [b"refuse"], 2, 1)
    assert load.refused > 0
    assert (load.answered_per_s, load.p50_ms) == (0, np.inf)


@pytest.mark.parametrize("send", SENDERS)
def test_broken_connections_are_counted(send: Send) -> None:
    load = send("http://127.0.0.1:1/", [b"{}"], 2, 1)
    assert load.broken > 0
    assert load.answered_per_s == 0


def test_figures_of_a_load() -> None:
    load = load_of(3, np.array([200, 200, 503, 0]), np.array([0.001, 0.003, 9.0, 9.0]), lasted_s=2.0)
    assert (load.answered_per_s, load.p50_ms, load.refused, load.broken) == (1.0, 2.0, 1, 1)


def test_without_wrk_and_a_compiler_python_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("bench.open_loop.PROGRAM", Path("/nowhere/open_loop"))
    assert find_sender().send is send_by_python
