"""Open-loop load: requests leave at Poisson times, whatever the server does. Latency counts from the intended time.

A closed loop sends less while the server is slow, and so it hides waiting times ("coordinated omission"). Here, a
request that finds every connection busy at its time waits for one, and this wait counts.

The program open_loop.c does the sending; it is compiled at its first use. Python would need a whole core to send 10,000
requests a second, and would take it from the server.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from model.files import atomic_write

SOURCE = Path(__file__).with_suffix(".c")
PROGRAM = Path(__file__).resolve().parents[1] / "build" / "bench" / "open_loop"
_OUTCOME = np.dtype(
    [("sent_s", "f8"), ("latency_s", "f8"), ("answer_at", "u8"), ("status", "u4"), ("answer_length", "u4")]
)
_STARTED = struct.Struct("d")


@dataclass(frozen=True)
class Answers:
    """The outcome of each request, in the order of sending. Times are in seconds since `started`.

    `started` is on the clock of time.monotonic(). A lost request has `status` 0: its connection broke or was refused,
    or no answer came in time. Its `latency_s` is the time until the client gave up; its `sent_s` is NaN if it was never
    sent.
    """

    started: float
    request: np.ndarray
    """The index of the body that was sent."""
    status: np.ndarray
    intended_s: np.ndarray
    sent_s: np.ndarray
    latency_s: np.ndarray
    responses: list[bytes]
    """The head and body of each answer, as received; empty without `keep`."""


@dataclass(frozen=True)
class OpenLoad:
    """Latencies in milliseconds from the intended send time. `failed` counts lost requests and statuses from 400 on.

    A failed request counts as one that waits forever: if more than 1 % failed, p99 is infinite. `late_p99_ms` is how
    late requests were sent, because every connection or the generator was busy.
    """

    rate_per_s: float
    sent: int
    failed: int
    p50_ms: float
    p99_ms: float
    late_p99_ms: float


def run_open_loop(
    url: str,
    bodies: Sequence[bytes],
    rate_per_s: float,
    seconds: float,
    connections: int = 64,
    seed: int = 0,
    headers: Mapping[str, str] | None = None,
) -> OpenLoad:
    """Sends `bodies` in turn at a mean rate, for `seconds`, over at most `connections`; returns the latencies."""
    answers = drive(url, bodies, rate_per_s, seconds, connections, seed, headers)
    failed = answers.status != 200
    waited = np.where(failed, np.inf, answers.latency_s)
    p50_ms, p99_ms = (np.percentile(waited, [50, 99], method="higher") * 1e3).tolist()
    late_p99_ms = float(np.nanpercentile(answers.sent_s - answers.intended_s, 99)) * 1e3
    return OpenLoad(rate_per_s, len(waited), int(failed.sum()), p50_ms, p99_ms, late_p99_ms)


def drive(
    url: str,
    bodies: Sequence[bytes],
    rate_per_s: float,
    seconds: float,
    connections: int = 64,
    seed: int = 0,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = 10.0,
    keep: bool = False,
    patience_s: float | None = None,
) -> Answers:
    """Sends the same load, and returns the outcome of every request.

    Args:
        url: the URL of all requests.
        bodies: the requests' bodies, sent in turn.
        rate_per_s: the mean rate.
        seconds: the length of the load.
        connections: the most connections.
        seed: the seed of the Poisson times.
        headers: headers beside the Content-Type of JSON.
        timeout_s: the time after which a client gives up.
        keep: keep every answer.
        patience_s: a request that waits longer for a free connection is not sent; None means `timeout_s`.

    Raises:
        RuntimeError: there is no C compiler, or the sending failed.
    """
    return send_at(
        _poisson_times(rate_per_s, seconds, seed), url, bodies, connections, headers, timeout_s, keep, patience_s
    )


def send_at(
    times: np.ndarray,
    url: str,
    bodies: Sequence[bytes],
    connections: int = 64,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = 10.0,
    keep: bool = False,
    patience_s: float | None = None,
) -> Answers:
    """Sends a request at each of the ascending `times` (S,), in seconds from the start; otherwise as `drive`.

    With all times 0, this is a closed loop: each connection sends its next request when its last is answered.
    """
    parts = urlsplit(url)
    requests = [_request(parts.path, parts.netloc, headers or {}, body) for body in bodies]
    host = "127.0.0.1" if parts.hostname == "localhost" else str(parts.hostname)
    patience_s = timeout_s if patience_s is None else patience_s
    command = [str(compiled()), host, str(parts.port), str(connections), str(timeout_s), str(patience_s)]
    command.append(str(int(keep)))
    done = subprocess.run(command, input=_plan(requests, times), capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"open_loop failed: {done.stderr.decode(errors='replace').strip()}")
    outcomes = np.frombuffer(done.stdout, _OUTCOME, len(times), _STARTED.size)
    return Answers(
        started=_STARTED.unpack_from(done.stdout)[0],
        request=np.arange(len(times)) % len(bodies),
        status=outcomes["status"].astype(np.int64),
        intended_s=times,
        sent_s=outcomes["sent_s"],
        latency_s=outcomes["latency_s"],
        responses=_responses(done.stdout, outcomes) if keep else [],
    )


def _plan(requests: Sequence[bytes], times: np.ndarray) -> bytes:
    """The program's input, in the format that open_loop.c describes."""
    plan = [struct.pack("II", len(requests), len(times))]
    for request in requests:
        plan.append(struct.pack("I", len(request)) + request)
    plan.append(times.tobytes())
    return b"".join(plan)


def _responses(output: bytes, outcomes: np.ndarray) -> list[bytes]:
    """The answers, which follow the outcomes in the program's output."""
    answers = memoryview(output)[_STARTED.size + outcomes.nbytes :]
    spans = zip(outcomes["answer_at"].tolist(), outcomes["answer_length"].tolist(), strict=True)
    return [bytes(answers[at : at + length]) for at, length in spans]


def _poisson_times(rate_per_s: float, seconds: float, seed: int) -> np.ndarray:
    """Ascending times in 0..seconds, at least one."""
    generator = np.random.default_rng(seed)
    expected = rate_per_s * seconds
    enough = int(expected + 6 * expected**0.5) + 10
    times = np.cumsum(generator.exponential(1 / rate_per_s, enough))
    return np.ascontiguousarray(times[: max(1, int(np.searchsorted(times, seconds)))])


def _request(path: str, host: str, headers: Mapping[str, str], body: bytes) -> bytes:
    sent = {"Host": host, "Content-Type": "application/json", **headers, "Content-Length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def compiled() -> Path:
    """The program; it is compiled if it is missing or older than its source."""
    if not PROGRAM.exists() or PROGRAM.stat().st_mtime < SOURCE.stat().st_mtime:
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            raise RuntimeError("there is no C compiler for bench/open_loop.c; on Debian: apt-get install gcc libc6-dev")
        PROGRAM.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(PROGRAM) as partial:
            subprocess.run([compiler, "-O2", "-Wall", "-o", str(partial), str(SOURCE), "-lm"], check=True)
    return PROGRAM
