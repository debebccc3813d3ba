"""`python -m bench.predictor`: the throughput of one process without a server, the upper limit for a served worker.

The first table has pairs per second in batches, on one CPU core and on the GPU if there is one: only the network, with
table rows on its device; from rows on the host to ratings on the host; and from raw ids to ratings. The second table
has whole requests, from a body's bytes to an answer's bytes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch
from tqdm import tqdm

from bench.machine import describe_machine
from bench.markdown import table
from bench.options import artifact_parser, check
from bench.publish import publish
from bench.workloads import Workload, workloads
from handler.request import Request
from handler.service import RatingService
from handler.settings import HandlerSettings
from model.artifact import Artifact, load_artifact
from model.asks import ColumnsAsk
from model.predictor import Predictor

BATCHES = (1_024, 16_384, 65_536, 1_048_576)
_ROUNDS = 5
_SEED = 1234


def times_per_s(work: Callable[[], object], seconds: float) -> float:
    """How often one CPU core does `work` per second: the median of several rounds, after a warm-up call."""
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


def in_batches(
    artifact: Artifact, device: str, seconds: float = 1.0, batches: Sequence[int] = BATCHES
) -> Iterator[tuple[str, list[float]]]:
    """The name of each kind of work, and its pairs per second for each of the batches; ids are the artifact's own."""
    predictor = Predictor(artifact, device)
    scorer = predictor.scorer
    generator = np.random.default_rng(_SEED)

    def works(size: int) -> dict[str, Callable[[], object]]:
        user_ids = generator.choice(artifact.user_ids.ids, size)
        movie_ids = generator.choice(artifact.movie_ids.ids, size)
        user_rows = predictor.user_ids.rows(user_ids)
        movie_rows = predictor.movie_ids.rows(movie_ids)
        users, movies = (torch.from_numpy(rows.astype(np.int64)).to(device) for rows in (user_rows, movie_rows))

        def network() -> None:
            with torch.inference_mode():
                scorer.head(scorer.user_tower(users), scorer.movie_tower(movies))
            if device == "cuda":
                torch.cuda.synchronize()

        return {
            "one forward, rows on the device": network,
            "host rows to host ratings": lambda: scorer.rate(user_rows, movie_rows),
            "raw ids to ratings": lambda: predictor.answer([ColumnsAsk(user_ids, movie_ids)]),
        }

    by_size = {size: works(size) for size in batches}
    for name in by_size[batches[0]]:
        yield name, [size * times_per_s(found[name], seconds) for size, found in by_size.items()]


def pairs_per_s(artifact: Artifact, workload: Workload, seconds: float = 1.0) -> float:
    """Pairs per second of one CPU core that decodes a workload's bodies in turn, predicts, and encodes."""
    service = RatingService(artifact, HandlerSettings(), "ncf", "1.0")
    turn = 0

    def answer() -> None:
        nonlocal turn
        service.answer([Request(workload.bodies[turn % len(workload.bodies)])])
        turn += 1

    return workload.pairs * times_per_s(answer, seconds)


def main() -> None:
    """Measures, and publishes the section `predictor`."""
    parser = artifact_parser("bench.predictor", __doc__)
    options = parser.parse_args()
    path = options.artifact
    check(parser, path)
    machine = describe_machine(path)
    devices = ["cpu"]
    if torch.cuda.is_available():
        devices.append("cuda")
        machine["processor"] += f", {torch.cuda.get_device_name()}"
    artifact = load_artifact(path)
    asked = workloads(artifact)
    batches: dict[str, list[float]] = {}
    requests: dict[str, float] = {}
    with tqdm(total=3 * len(devices) + len(asked), disable=None) as progress:
        for device in devices:
            for name, rates in in_batches(load_artifact(path, device), device):
                batches[f"{name}, {device}"] = rates
                progress.update()
        for name, workload in asked.items():
            requests[name] = pairs_per_s(artifact, workload)
            progress.update()
    text = "\n\n".join([_batches_table(batches), _requests_table(requests)])
    publish("predictor", {**machine, "batches": batches, "requests": requests}, text, options)


def _batches_table(batches: Mapping[str, list[float]]) -> str:
    header = ("million pairs/s in one process, by batch", *(f"{size:,}" for size in BATCHES))
    return table(header, 1, ((name, *(f"{rate / 1e6:.2f}" for rate in rates)) for name, rates in batches.items()))


def _requests_table(requests: Mapping[str, float]) -> str:
    rows = [(name, f"{rate:,.0f}") for name, rate in requests.items()]
    return table(("bytes to bytes, one core", "pairs/s"), 1, rows)


if __name__ == "__main__":
    main()
