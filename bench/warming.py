"""`python -m bench.warming`: how fast a server answers in its first minute.

A server starts with one worker, and from its first answer on wrk sends single pairs, two seconds at a time. The rate
grows, because Java compiles the code that runs often.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from tqdm import tqdm

from bench.load import run_wrk
from bench.markdown import table
from bench.options import artifact_parser, check, positive
from bench.servers import ours
from bench.workloads import PATH, workloads
from model.artifact import load_artifact

_WINDOW_S = 2


def main() -> None:
    """Measures, and prints a table with a row for each window."""
    parser = artifact_parser("bench.warming", __doc__)
    parser.add_argument("--connections", type=positive, default=64, help="how many requests are under way at once")
    parser.add_argument("--seconds", type=positive, default=60, help="how long to look")
    options = parser.parse_args()
    check(parser, options.artifact, "wrk")
    bodies = workloads(load_artifact(options.artifact))["pair"].bodies
    windows: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder, ours(options.artifact, Path(folder) / "server", 1) as settings:
        ready = time.monotonic()
        for _ in tqdm(range(0, options.seconds, _WINDOW_S), unit="window", disable=None):
            since = time.monotonic() - ready
            load = run_wrk(settings.inference + PATH, bodies, options.connections, _WINDOW_S)
            windows.append((since, load.answered_per_s))
    fastest = max(rate for _, rate in windows)
    rows = [(f"{since:.0f}", f"{rate:,.0f}", f"{rate / fastest:.2f}") for since, rate in windows]
    print(table(("seconds after the first answer", "answers/s", "share of the fastest"), 0, rows))


if __name__ == "__main__":
    main()
