"""`python -m bench.predictor`: what one process does with no server, the limit that a served figure is held against.

Pairs per second in batches, with one CPU core and, where there is one, the GPU: the network alone on rows that lie on
its device; with rows from and ratings to the host; and from raw ids. Then whole requests, from bytes to bytes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from bench.machine import describe_machine, write_results
from bench.markdown import table
from bench.options import check
from bench.workloads import Workload, workloads
from handler.request import Request
from handler.service import RatingService
from handler.settings import HandlerSettings
from model.artifact import Artifact, load_artifact
from model.asks import ColumnsAsk
from model.predictor import Predictor

BATCHES = (1_024, 16_384, 1_048_576)
_ROUNDS = 5
_SEED = 1234


def times_per_s(work: Callable[[], object], seconds: float) -> float:
    """How often one CPU core does `work` per second: the median of rounds, after one call that warms it up."""
    torch.set_num_threads(1)
    work()
    rounds = []
    for _ in range(_ROUNDS):
        done, start = 0, time.perf_counter()
        while (spent := time.perf_counter() - start) < seconds / _ROUNDS or not done:
            work()
            done += 1
        rounds.append(done / spent)
    return float(np.median(rounds))


def in_batches(artifact: Artifact, device: str, seconds: float = 1.0) -> Iterator[tuple[str, list[float]]]:
    """What is done, and the pairs per second of it for each of BATCHES, drawn from the artifact's own ids."""
    predictor, generator = Predictor(artifact, device), np.random.default_rng(_SEED)
    scorer = predictor.scorer

    def rated(size: int) -> tuple[Callable[[], object], ...]:
        ids = (generator.choice(artifact.user_ids.ids, size), generator.choice(artifact.movie_ids.ids, size))
        rows = (predictor.user_ids.rows(ids[0]), predictor.movie_ids.rows(ids[1]))
        users, movies = (torch.from_numpy(side.astype(np.int64)).to(device) for side in rows)

        def network() -> None:
            with torch.inference_mode():
                scorer.head(scorer.user_tower(users), scorer.movie_tower(movies))
            if device == "cuda":
                torch.cuda.synchronize()

        return network, lambda: scorer.rate(*rows), lambda: predictor.answer([ColumnsAsk(*ids)])

    what = ("one forward, rows on the device", "host rows to host ratings", "raw ids to ratings")
    works = [rated(size) for size in BATCHES]
    for place, name in enumerate(what):
        yield name, [size * times_per_s(work[place], seconds) for size, work in zip(BATCHES, works, strict=True)]


def pairs_per_s(artifact: Artifact, workload: Workload, seconds: float = 1.0) -> float:
    """Pairs per second of one CPU core for a workload's bodies in turn: decode, predict, encode."""
    service = RatingService(artifact, HandlerSettings(), "ncf", "1.0")
    turn = 0

    def answer() -> None:
        nonlocal turn
        service.answer([Request(workload.bodies[turn % len(workload.bodies)])])
        turn += 1

    return workload.pairs * times_per_s(answer, seconds)


def main() -> None:
    """Measures and writes the section of README.md."""
    parser = argparse.ArgumentParser(prog="python -m bench.predictor", description=str(__doc__).splitlines()[0])
    parser.add_argument("--artifact", type=Path, default=Path("build/1.0/ncf.pt"))
    path = parser.parse_args().artifact
    check(parser, path)
    machine = describe_machine(path)
    artifact, devices = load_artifact(path), ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    asked = workloads(artifact)
    with tqdm(total=3 * len(devices) + len(asked), disable=None) as progress:
        batches = {}
        for device in devices:
            placed = artifact if device == "cpu" else load_artifact(path, device)
            for name, found in in_batches(placed, device):
                batches[f"{name}, {device}"] = found
                progress.update()
        requests = {}
        for name, workload in asked.items():
            requests[name] = pairs_per_s(artifact, workload)
            progress.update()
    heads = ("million pairs/s in one process, by batch", *(f"{size:,}" for size in BATCHES))
    rows = [(name, *(f"{rate / 1e6:.2f}" for rate in found)) for name, found in batches.items()]
    whole = [(name, f"{rate:,.0f}") for name, rate in requests.items()]
    text = "\n\n".join([table(heads, 1, rows), table(("bytes to bytes, one core", "pairs/s"), 1, whole)])
    print(text)
    if torch.cuda.is_available():
        machine["processor"] += f", {torch.cuda.get_device_name()}"
    write_results("predictor", {**machine, "batches": batches, "requests": requests}, text)


if __name__ == "__main__":
    main()
