"""The served path: pairs one by one, and columns, on workers with a GPU and on workers without one.

All servers run on this machine, one at a time, and share its processors with what sends the load.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.gpu.asked import SIZES_CONNECTIONS, Asked, loads
from bench.gpu.crossover import crossovers
from bench.gpu.section import Context, Row, failed, left_out, measured
from bench.gpu.ways import CPU, FAILURES, GPU, Kind, Send, find_ways, first_line
from bench.load import Load
from bench.workloads import PAIRS
from model.artifact import load_artifact

_SECONDS = 1
# Workers are not started with less time than this beside that of their loads.
_START_S = 15.0
_MOST_WORKERS = 8

# The pairs per second of one kind of workers, by the pairs in a request.
Rates = dict[int, float]


def run(context: Context) -> Iterator[Row]:
    """Yields the rate of each load on each kind of workers, and from which size of a request on a GPU pays."""
    ways = find_ways()
    asked = loads(load_artifact(context.artifact), context.small)
    rates: dict[Kind, Rates] = {}
    with TemporaryDirectory(prefix="ncf-gpu-") as folder:
        for kind in kinds(context):
            if context.left_s() < _START_S + len(asked) * _SECONDS:
                yield left_out(str(kind), "the time is too short")
                continue
            try:
                with ways.started(context.artifact, Path(folder), kind) as (told, send):
                    yield from told
                    yield from _measure(kind, send, asked, rates.setdefault(kind, {}))
            except FAILURES as error:
                yield failed(str(kind), first_line(error))
    yield from crossovers(_of_device(GPU, rates), _of_device(CPU, rates))


def kinds(context: Context) -> list[Kind]:
    """The workers to compare: one with each device, then as many as this machine has processors for."""
    many = min(_MOST_WORKERS, (os.cpu_count() or 1) // 2)
    numbers = (1,) if context.small or many < 2 else (1, many)
    devices = (CPU,) if context.device == "cpu" else (GPU, CPU)
    return [Kind(device, number) for number in numbers for device in devices]


def _measure(kind: Kind, send: Send, asked: Sequence[Asked], rates: Rates) -> Iterator[Row]:
    """Sends the loads; `rates` gets those that show from which size on a GPU pays."""
    for one in {load.pairs: load for load in asked if load.pairs in (1, PAIRS)}.values():
        send(one.bodies, one.connections, _SECONDS)  # the JVM compiles the code that runs often
    for one in asked:
        load = send(one.bodies, one.connections, _SECONDS)
        yield _row(kind, one, load)
        if one.connections == SIZES_CONNECTIONS:
            rates[one.pairs] = one.pairs * load.answered_per_s


def _row(kind: Kind, asked: Asked, load: Load) -> Row:
    what = f"{kind}: {asked}"
    if load.refused or load.broken:
        return failed(what, f"{load.refused} requests were refused, {load.broken} connections broke")
    note = f"p50 {load.p50_ms:.2f} ms, p99 {load.p99_ms:.2f} ms"
    return measured(what, asked.pairs * load.answered_per_s, "pairs/s", note)


def _of_device(device: str, rates: Mapping[Kind, Rates]) -> dict[int, Rates]:
    return {kind.number: found for kind, found in rates.items() if kind.device == device}
