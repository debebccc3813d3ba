"""`python -m bench.waits`: what a request for one pair waits for, at half of the server's maximum.

The server has one worker, and requests come at Poisson times. The table shows the client's latency, and two parts of it
that the server counts: the wait until the worker takes the request (its batch fills, or the batch before it is
computed), and the worker's time for the whole batch. The front end, the kernel and the generator take the rest.
"""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
import numpy as np
from tqdm import tqdm

from bench.load import run_wrk
from bench.machine import describe_machine
from bench.markdown import table
from bench.open_loop import drive
from bench.options import check, rounds_parser
from bench.publish import publish
from bench.servers import ours
from bench.workloads import PATH, workloads
from handler.settings import HandlerSettings
from model.artifact import load_artifact
from ops.settings import ServerSettings

_CONNECTIONS, _WARM_UP_S = 256, 40
# The worker reports its counts at intervals; two seconds more are enough for the last report to arrive.
_COUNTED_S = HandlerSettings().metrics_interval_s + 2
_SPENT = ("ncf_decode_seconds_total", "ncf_predict_seconds_total", "ncf_encode_seconds_total")
_SAMPLE = re.compile(r"^(\w+)\{([^}]*)\} (\S+)$", re.MULTILINE)
_BOUND = re.compile(r'\ble="([^"]*)"')


@dataclass(frozen=True)
class Waits:
    """Times in milliseconds, at `rate_per_s`.

    latency: mean, median and p99, as the client measures it.
    queue: the mean time until a worker takes a request.
    batch: the mean time in the worker; 99 of 100 batches take at most `batch_bound`.
    batch_size: the mean number of requests in a batch.
    """

    rate_per_s: float
    latency: tuple[float, float, float]
    queue: float
    batch: float
    batch_bound: float
    batch_size: float


def measure(settings: ServerSettings, bodies: Sequence[bytes], seconds: int, seed: int) -> Waits:
    """One round against a running server."""
    url = settings.inference + PATH
    rate = run_wrk(url, bodies, _CONNECTIONS, 2).answered_per_s / 2
    time.sleep(_COUNTED_S)
    before = _counts(settings)
    latency = _latencies(url, bodies, rate, seconds, seed)
    time.sleep(_COUNTED_S)
    after = _counts(settings)
    grown = {key: value - before.get(key, 0.0) for key, value in after.items()}
    batches = grown["ncf_batches_total", ""]
    requests = grown["ncf_batched_requests_total", ""]
    buckets = [(float(bound), number) for (name, bound), number in grown.items() if name == "ncf_batch_seconds_bucket"]
    return Waits(
        rate_per_s=rate,
        latency=latency,
        queue=grown["ts_queue_latency_microseconds", ""] / requests / 1e3,
        batch=sum(grown[name, ""] for name in _SPENT) / batches * 1e3,
        batch_bound=min(bound for bound, number in buckets if number >= 0.99 * batches) * 1e3,
        batch_size=requests / batches,
    )


def _latencies(url: str, bodies: Sequence[bytes], rate: float, seconds: int, seed: int) -> tuple[float, float, float]:
    answers = drive(url, bodies, rate, seconds, _CONNECTIONS, seed)
    p50, p99 = np.percentile(answers.latency_s, [50, 99]).tolist()
    return float(answers.latency_s.mean()) * 1e3, p50 * 1e3, p99 * 1e3


def _counts(settings: ServerSettings) -> dict[tuple[str, str], float]:
    """The server's counters, and its buckets by their upper bound, as Prometheus reads them."""
    text = httpx.get(f"{settings.metrics}/metrics").text
    samples = _SAMPLE.findall(text)
    return {(name, "".join(_BOUND.findall(labels))): float(value) for name, labels, value in samples}


def run(artifact: Path, rounds: int, seconds: int) -> list[Waits]:
    """Measures one warm server in several rounds."""
    bodies = workloads(load_artifact(artifact))["pair"].bodies
    with (
        tempfile.TemporaryDirectory(prefix="waits-") as folder,
        ours(artifact, Path(folder) / "s", workers=1) as server,
    ):
        run_wrk(server.inference + PATH, bodies, 64, _WARM_UP_S)
        return [measure(server, bodies, seconds, turn) for turn in tqdm(range(rounds), unit="round", disable=None)]


def report(found: Sequence[Waits]) -> str:
    """The medians of the rounds as a table."""

    def middle(name: str, place: int | None = None) -> str:
        values = [getattr(one, name) if place is None else getattr(one, name)[place] for one in found]
        return f"{statistics.median(values):.2f}"

    rate = statistics.median(one.rate_per_s for one in found)
    size = statistics.median(one.batch_size for one in found)
    rows = [
        (f"a rating, {rate:,.0f} requests/s", *(middle("latency", place) for place in range(3))),
        ("of it: until the worker takes it", middle("queue"), "", ""),
        (f"of it: in the worker, with a batch of {size:.0f}", middle("batch"), "", f"<= {middle('batch_bound')}"),
    ]
    return table(("", "mean ms", "p50 ms", "p99 ms"), 1, rows)


def main() -> None:
    """Measures, and publishes the section `waits`."""
    parser = rounds_parser("bench.waits", __doc__, rounds=5, seconds=5)
    options = parser.parse_args()
    check(parser, options.artifact, "wrk", "cc")
    artifact = options.artifact.resolve()
    machine = describe_machine(artifact)
    found = run(artifact, options.rounds, options.seconds)
    publish("waits", {**machine, "rounds": [asdict(one) for one in found]}, report(found), options)


if __name__ == "__main__":
    main()
