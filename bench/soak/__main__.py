"""`python -m bench.soak`: overload, millions of requests and faults under load, on a server with its supervisor.

The load comes from an open loop on the same machine, so that a slow server does not get fewer requests. Every request
is accounted for. The tables say which answers are checked against the in-process rating.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from tqdm import tqdm

from bench.machine import describe_machine
from bench.options import artifact_parser, check, positive
from bench.publish import RESULTS, publish
from bench.rollout import change_under_load
from bench.soak.bundle import VERSIONS, Bundle, supervised
from bench.soak.faults import (
    LEAD_S,
    Fault,
    Survived,
    kill_all_workers,
    kill_front_end,
    kill_worker,
    slow_clients,
    survive,
    vanishing_clients,
)
from bench.soak.memory import MemoryLog
from bench.soak.phases import Endurance, Overload, Step, endure, maximum, overload
from bench.soak.pipelining import pipeline
from bench.soak.report import draw, endurance_table, faults_table, overload_table
from bench.soak.traffic import Tally, Traffic, make_traffic
from bench.soak.verdict import BOUNDS, failures
from ops.client import Client
from ops.versions.rollout import Rollout

# The share of the maximum rate in the endurance stretch: the machine also has to generate the load and check it.
_ENDURANCE_SHARE = 0.6
_PICTURE = (
    "![memory and answers over time](../bench/results/soak.png)\n\n"
    "The picture does not count the answers during the promotions."
)


def plan_faults(seconds: float, kills: int) -> list[Fault]:
    """The faults, each followed by `seconds` of load. The front end gets more time, because it restarts slowly."""
    return [
        *(Fault(f"a worker killed ({number + 1})", seconds, kill_worker) for number in range(kills)),
        Fault("all workers killed", seconds, kill_all_workers),
        Fault("the JVM killed", seconds + 12, kill_front_end),
        Fault("50 slow clients", seconds, slow_clients(50, seconds)),
        Fault("50 clients a second vanish", seconds, vanishing_clients(50, seconds)),
    ]


def break_it(
    bundle: Bundle, traffic: Traffic, rate_per_s: float, faults: Sequence[Fault], step: Step
) -> list[Survived]:
    """Injects the faults one after another. Before each one, it waits until all workers are ready."""
    found = []
    workers = len(bundle.workers())
    for fault in faults:
        bundle.wait_until_ready(workers)
        found.append(survive(traffic, bundle, fault, rate_per_s))
        step(LEAD_S + fault.seconds)
    bundle.wait_until_ready(workers)
    return found


def change_versions(bundle: Bundle, promotions: int, step: Step) -> Survived:
    """Promotes two versions in turn under load, while a third is registered and removed."""
    first, second, third = VERSIONS
    rollout = Rollout(Client(bundle.settings), bundle.settings)
    rollout.register(second)
    at_s = time.monotonic()
    found = change_under_load(bundle.settings, (first, second), third, promotions)
    rollout.unregister(second)
    refused = found.refused.total()
    answered = found.sent - found.lost - refused
    tally = Tally(
        sent=found.sent,
        answered=answered,
        refused=found.refused[503],
        failed=refused - found.refused[503],
        broken=found.lost,
        checked=answered,
        wrong=len(found.wrong),
    )
    step(found.seconds)
    again_s = 0.0 if not tally.lost and not tally.wrong else None
    name = f"{promotions} promotions, a version registered and removed"
    return Survived(name, at_s, tally, float(np.max(np.concatenate(found.latencies_s))), again_s)


def soak(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Runs all stretches against one server; returns figures, tables, failures, and the content of the picture."""
    faults = plan_faults(options.fault_s, options.kills)
    planned = 3 * options.maximum_s + 60 * options.overload_min + 10 + options.requests / 14_000
    planned += 60 * options.pipelining_min + sum(LEAD_S + fault.seconds for fault in faults) + 1.5 * options.promotions
    with ExitStack() as stack:
        progress = stack.enter_context(tqdm(total=round(planned), unit="s", disable=None, desc="starting"))
        bundle = stack.enter_context(supervised(options.artifact.resolve(), folder / "soak"))
        traffic = make_traffic(bundle.settings.inference, bundle.artifacts)
        memory = stack.enter_context(MemoryLog(bundle.settings))
        start = time.monotonic()
        progress.set_description("maximum")
        most = maximum(traffic, options.maximum_s, progress.update)
        progress.set_description("overload")
        loaded = overload(traffic, memory, 2 * most, 60 * options.overload_min, progress.update)
        progress.set_description("endurance")
        endured = endure(traffic, memory, _ENDURANCE_SHARE * most, options.requests, progress.update)
        progress.set_description("faults")
        survived = break_it(bundle, traffic, most / 2, faults, progress.update)
        progress.set_description("pipelining")
        survived.append(pipeline(traffic, bundle, most / 2, 60 * options.pipelining_min, progress.update))
        progress.set_description("versions")
        survived.append(change_versions(bundle, options.promotions, progress.update))
        rows = memory.between(start, time.monotonic())
    return _summary(most, loaded, endured, survived, rows, np.sort(np.concatenate(traffic.done_s)))


def _summary(
    most: float, loaded: Overload, endured: Endurance, survived: list[Survived], rows: np.ndarray, done_s: np.ndarray
) -> dict[str, Any]:
    start = float(rows[0, 0])
    tables = [overload_table(most, loaded), endurance_table(endured), faults_table(most / 2, survived), BOUNDS]
    return {
        "figures": {
            "maximum_per_s": most,
            "overload": asdict(loaded),
            "endurance": asdict(endured),
            "faults": [{**asdict(one), "at_s": one.at_s - start} for one in survived],
        },
        "text": "\n\n".join(tables),
        "failures": failures(loaded, endured, survived),
        "picture": (rows, done_s, survived),
    }


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options of a soak; the defaults make the long form."""
    parser = artifact_parser("bench.soak", __doc__)
    parser.add_argument("--maximum-s", type=positive, default=8, help="seconds of each of three closed loops")
    parser.add_argument("--overload-min", type=float, default=10.0, help="minutes at twice the maximum")
    parser.add_argument("--requests", type=positive, default=5_000_000, help="answers in the endurance stretch")
    parser.add_argument("--fault-s", type=float, default=15.0, help="seconds of load after a fault")
    parser.add_argument("--kills", type=positive, default=3, help="how often a worker is killed")
    pipelining = "minutes beside clients that send requests before they have their answers"
    parser.add_argument("--pipelining-min", type=float, default=10.0, help=pipelining)
    parser.add_argument("--promotions", type=positive, default=20, help="the number of promotions under load")
    options = parser.parse_args(arguments)
    check(parser, options.artifact, "wrk", "cc", integer_ids=False)
    return options


def main() -> None:
    """Soaks, and publishes the section `soak` with its picture; the exit status is 1 if a bound was passed."""
    options = parse()
    for number in (signal.SIGTERM, signal.SIGINT):  # a background process may ignore Ctrl-C by default
        signal.signal(number, signal.default_int_handler)
    torch.set_num_threads(1)
    machine = describe_machine(options.artifact)
    try:
        with tempfile.TemporaryDirectory(prefix="ncf-soak-") as folder:
            found = soak(options, Path(folder))
    except KeyboardInterrupt:
        print("soak: interrupted; the server has ended, and nothing was written", file=sys.stderr)
        sys.exit(130)
    if not options.write_nothing:
        draw(RESULTS / "soak.png", *found["picture"])
    figures = {**machine, "load_average": psutil.getloadavg(), **found["figures"]}
    publish("soak", figures, f"{found['text']}\n\n{_PICTURE}", options)
    for failure in found["failures"]:
        print(f"soak: {failure}", file=sys.stderr)
    sys.exit(1 if found["failures"] else 0)


if __name__ == "__main__":
    main()
