"""Open-loop load: requests leave at Poisson times, whatever the server does, and latency counts from the intended time.

A closed loop sends less while the server is slow and so hides the waiting ("coordinated omission"). Here a request
whose time has come but finds every connection busy waits, and its wait counts. The sending is in open_loop.c, compiled
when first used: Python would need a core of its own for 10,000 requests a second, and the server would miss it.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

_SOURCE = Path(__file__).with_suffix(".c")
_PROGRAM = Path(__file__).resolve().parents[1] / "build" / "bench" / "open_loop"
_OUTCOME = np.dtype(
    [("sent_s", "f8"), ("latency_s", "f8"), ("answer_at", "u8"), ("status", "u4"), ("answer_length", "u4")]
)


@dataclass(frozen=True)
class Answers:
    """What became of each request, in the order of sending. Times are in seconds since `started`.

    `started` is on the clock of time.monotonic(). `status` is 0 for a request that was lost: its connection broke or
    was refused, or no answer came in time; `latency_s` then tells when it was given up, and `sent_s` is NaN if it
    never left.
    """

    started: float
    request: np.ndarray
    """Which of the bodies."""
    status: np.ndarray
    intended_s: np.ndarray
    sent_s: np.ndarray
    latency_s: np.ndarray
    responses: list[bytes]
    """The answers, head and body, as they came; empty unless asked for."""


@dataclass(frozen=True)
class OpenLoad:
    """Latencies in milliseconds from the intended send time; `failed` counts answers of 400 and more, and lost ones.

    A request that failed is one that waits forever: where more than one of a hundred did, p99 is infinite.
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
    """Sends `bodies` in turn at a mean rate, for `seconds`, over at most `connections`."""
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
    """The same, and what became of every request; `keep`: with its answer. A client gives up after `timeout_s`.

    patience_s: a request that waits longer for a free connection is not sent any more; None: `timeout_s`.

    Raises:
        RuntimeError: there is no C compiler, or the sending failed.
    """
    parts = urlsplit(url)
    times = _poisson_times(rate_per_s, seconds, seed)
    plan = [struct.pack("II", len(bodies), len(times))]
    for body in bodies:
        request = _request(parts.path, parts.netloc, headers or {}, body)
        plan.append(struct.pack("I", len(request)) + request)
    plan.append(times.tobytes())
    host = "127.0.0.1" if parts.hostname == "localhost" else str(parts.hostname)
    command = [str(_compiled()), host, str(parts.port), str(connections), str(timeout_s)]
    command += [str(timeout_s if patience_s is None else patience_s), str(int(keep))]
    done = subprocess.run(command, input=b"".join(plan), capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"open_loop failed: {done.stderr.decode(errors='replace').strip()}")
    told = np.frombuffer(done.stdout, _OUTCOME, len(times), 8)
    kept = memoryview(done.stdout)[8 + told.nbytes :]
    spans = zip(told["answer_at"].tolist(), told["answer_length"].tolist(), strict=True)
    return Answers(
        struct.unpack("d", done.stdout[:8])[0],
        np.arange(len(times)) % len(bodies),
        told["status"].astype(np.int64),
        times,
        told["sent_s"],
        told["latency_s"],
        [bytes(kept[at : at + length]) for at, length in spans] if keep else [],
    )


def _poisson_times(rate_per_s: float, seconds: float, seed: int) -> np.ndarray:
    """Ascending seconds in 0..seconds, at least one."""
    generator = np.random.default_rng(seed)
    expected = rate_per_s * seconds
    times = np.cumsum(generator.exponential(1 / rate_per_s, int(expected + 6 * expected**0.5) + 10))
    return np.ascontiguousarray(times[: max(1, int(np.searchsorted(times, seconds)))])


def _request(path: str, host: str, headers: Mapping[str, str], body: bytes) -> bytes:
    sent = {"Host": host, "Content-Type": "application/json", **headers, "Content-Length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def _compiled() -> Path:
    """The program, compiled if its source is newer."""
    if not _PROGRAM.exists() or _PROGRAM.stat().st_mtime < _SOURCE.stat().st_mtime:
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            raise RuntimeError("no C compiler, which the load generator needs: apt-get install gcc libc6-dev")
        _PROGRAM.parent.mkdir(parents=True, exist_ok=True)
        partial = _PROGRAM.with_name(f"open_loop.{os.getpid()}")
        subprocess.run([compiler, "-O2", "-Wall", "-o", str(partial), str(_SOURCE), "-lm"], check=True)
        partial.replace(_PROGRAM)
    return _PROGRAM
