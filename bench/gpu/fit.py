"""`python -m bench.gpu.fit PRESET DATA SEED...`: trains a preset for each seed, and prints a line of JSON for each.

DATA is a folder of ratings, or a file of generated ones (bench/gpu/generated.py). Training takes the GPU that it sees,
or else the processor: with CUDA_VISIBLE_DEVICES= it sees none. Only choosing and fitting are timed, as only they run on
a GPU.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from bench.gpu.generated import load_generated
from model.scale import RatingScale
from train import distributed
from train.architectures import ARCHITECTURES
from train.config import PRESETS
from train.dataset.data import RatingsData, split_ratings
from train.dataset.tensors import index_ratings, look_up_ratings
from train.predict import mean_squared_error
from train.readers import load_ratings
from train.resume import NO_STAGES


def measure(preset: str, data: RatingsData, seed: int) -> dict[str, Any]:
    """Seconds, passes over the ratings, and the squared error of held-out ratings of known users and movies."""
    config = replace(PRESETS[preset], seed=seed)
    architecture = ARCHITECTURES[config.architecture]
    split = split_ratings(data.ratings)
    rows = index_ratings(split.train, data.movies if architecture.uses_features else None)
    scale = RatingScale(*data.rating_scale)
    torch.zeros(1, device=distributed.device())  # a GPU takes a while to start
    start = time.perf_counter()
    choice = architecture.choose(rows, scale, config, NO_STAGES)
    chosen = time.perf_counter()
    fitted = architecture.fit(rows, scale, config, choice, "train", NO_STAGES)
    done = time.perf_counter()
    held_out = look_up_ratings(split.known, rows.user_ids, rows.movie_ids)
    return {
        "device": distributed.device().type,
        "rows": len(rows.ratings),
        "choose_s": chosen - start,
        "fit_s": done - chosen,
        "passes": fitted.passes,
        "chosen": choice.settings,
        "mse": mean_squared_error(fitted.network, held_out, scale),
    }


def main() -> None:
    """Prints the lines."""
    preset, source, *seeds = sys.argv[1:]
    torch.set_num_threads(1)  # as a training does
    path = Path(source)
    data = load_ratings(path) if path.is_dir() else load_generated(path)
    for seed in map(int, seeds):
        print(json.dumps(measure(preset, data, seed)), flush=True)


if __name__ == "__main__":
    main()
