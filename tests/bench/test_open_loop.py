"""The open-loop generator against an HTTP server of the standard library."""

import json
import shutil
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest

from bench.open_loop import drive, run_open_loop
from tests.bench.http_server import serving

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")


# A client gives up before a hanging request is answered.
WAITS_S, TIMEOUT_S = {"hang": 60.0, "nap": 2.0}, 5.0


class Echo(BaseHTTPRequestHandler):
    """Answers with the request's body; `{"do": ...}` makes it fail as real servers do."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        do = json.loads(body).get("do")
        if do == "vanish":
            self.close_connection = True
            return
        if do in WAITS_S:
            time.sleep(WAITS_S[do])
        self.send_response(503 if do == "refuse" else 200)
        self.send_header("X-Seen", self.headers.get("X-Sent", ""))
        if do == "chunks":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(Echo) as address:
        yield address


def test_every_request_is_answered_and_kept_in_order(url: str) -> None:
    bodies = [json.dumps({"n": number}).encode() for number in range(7)]
    answers = drive(url, bodies, rate_per_s=200, seconds=2, connections=8, headers={"X-Sent": "yes"}, keep=True)
    assert set(answers.status) == {200}
    assert len(answers.responses) == len(answers.status) == pytest.approx(400, abs=120)
    for request, response in zip(answers.request, answers.responses, strict=True):
        head, _, body = response.partition(b"\r\n\r\n")
        assert body == bodies[request]
        assert b"X-Seen: yes" in head
    assert (answers.sent_s >= answers.intended_s).all()
    assert (answers.latency_s > 0).all()


def test_send_times_are_poisson(url: str) -> None:
    answers = drive(url, [b"{}"], rate_per_s=500, seconds=3, connections=16)
    gaps = np.diff(answers.intended_s)
    assert gaps.mean() == pytest.approx(1 / 500, rel=0.15)
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.2)


@pytest.mark.parametrize(("do", "status"), [("refuse", 503), ("vanish", 0), ("hang", 0), ("chunks", 200)])
def test_failure_of_one_request_leaves_the_others_unchanged(url: str, do: str, status: int) -> None:
    bodies = [b"{}", json.dumps({"do": do}).encode()]
    timeout_s = TIMEOUT_S if do == "hang" else 120
    answers = drive(url, bodies, rate_per_s=20, seconds=1, connections=16, timeout_s=timeout_s, keep=True)
    assert set(answers.status[answers.request == 0]) == {200}
    assert set(answers.status[answers.request == 1]) == {status}


def test_refused_request_counts_as_failed_with_infinite_latency(url: str) -> None:
    load = run_open_loop(url, [b"{}", b"{}", b'{"do": "refuse"}'], 50, 1)
    assert load.failed == load.sent // 3
    assert 0 < load.p50_ms < load.p99_ms == np.inf


def test_all_requests_are_lost_at_once_if_nobody_listens() -> None:
    answers = drive("http://127.0.0.1:1/", [b"{}"], rate_per_s=50, seconds=1)
    assert set(answers.status) == {0}
    assert answers.latency_s.max() < 10  # nobody waits until a client gives up


def test_wait_for_a_free_connection_counts_as_latency(url: str) -> None:
    """Every other request finds the only connection busy for 2 s."""
    answers = drive(url, [b'{"do": "nap"}', b"{}"], rate_per_s=4, seconds=1, connections=1, timeout_s=120)
    waited = answers.latency_s[answers.request == 1]
    assert set(answers.status) == {200}
    assert len(waited) > 0
    assert waited.max() > 0.5


def test_program_is_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bench" / "open_loop"
    monkeypatch.setattr("bench.open_loop.PROGRAM", program)
    drive("http://127.0.0.1:1/", [b"{}"], 10, 0.1)
    made = program.stat().st_mtime_ns
    drive("http://127.0.0.1:1/", [b"{}"], 10, 0.1)
    assert program.stat().st_mtime_ns == made
    assert [one.name for one in program.parent.iterdir()] == ["open_loop"]
