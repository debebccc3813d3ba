"""`python -m bench.gpu.epochs FILE BATCH...`: how fast `mlp` trains on a file of generated ratings, by batch.

Prints a line of JSON for each batch: rows per second of one epoch, as a training does it, and on a GPU with the step as
a CUDA graph. NVIDIA's NCF, for orientation: 22.6 to 34.1 million rows/s on one A100, in batches of a million.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from bench.gpu.generated import load_generated
from bench.gpu.graph import GraphedStep
from model.network import EmbeddingMLP
from model.scale import RatingScale
from train import distributed
from train.config import PRESETS
from train.dataset.tensors import Ratings, index_ratings
from train.mlp.config import MLPConfig
from train.mlp.fit import build_network, fit

_WARM_UP_STEPS = 20


def rows_per_s(ratings: Ratings, epoch: Callable[[Ratings], object], batch: int) -> float:
    """Rows per second of one epoch after some steps to warm up."""
    epoch(_cut(ratings, 0, _WARM_UP_STEPS * batch))
    start = time.perf_counter()
    epoch(ratings)
    if ratings.rating.is_cuda:
        torch.cuda.synchronize()
    return len(ratings) / (time.perf_counter() - start)


def plain_epoch(network: EmbeddingMLP, scale: RatingScale, config: MLPConfig) -> Callable[[Ratings], object]:
    """One epoch of a training."""
    return lambda ratings: fit(network, ratings, scale, config, seed=0, epochs=1)


def graphed_epoch(network: EmbeddingMLP, scale: RatingScale, config: MLPConfig) -> Callable[[Ratings], object]:
    """One epoch with the step as a CUDA graph; the rows after the last whole batch are left out."""
    step: GraphedStep | None = None

    def epoch(ratings: Ratings) -> None:
        nonlocal step
        order = torch.randperm(len(ratings)).to(ratings.rating.device)
        shuffled, size = ratings.take(order), config.batch_size
        for start in range(0, len(ratings) - size + 1, size):
            batch = _cut(shuffled, start, start + size)
            if step is None:
                step = GraphedStep(network, batch, scale, config)
            step.run(batch)

    return epoch


def _cut(ratings: Ratings, start: int, end: int) -> Ratings:
    some = slice(start, end)
    return Ratings(ratings.user_index[some], ratings.movie_index[some], ratings.rating[some])


def main() -> None:
    """Prints the lines."""
    path, *batches = sys.argv[1:]
    torch.set_num_threads(1)  # as a training does
    device, scale, options = distributed.device(), RatingScale(1, 10), PRESETS["mlp"].mlp
    rows = index_ratings(load_generated(Path(path)).ratings)
    ratings = rows.ratings.to(device)
    for batch in map(int, batches):
        config = replace(options, batch_size=batch, patience=0)
        network = build_network(config, len(rows.user_ids), len(rows.movie_ids), 0).to(device)
        found = {"device": device.type, "rows": len(ratings), "batch": batch}
        found["plain"] = rows_per_s(ratings, plain_epoch(network, scale, config), batch)
        print(json.dumps(found), flush=True)
        if device.type == "cuda":
            graphed = rows_per_s(ratings, graphed_epoch(network, scale, config), batch)
            print(json.dumps({**found, "graph": graphed}), flush=True)


if __name__ == "__main__":
    main()
