"""`python -m bench.train`: how training time grows with the number of ratings, and when it beats the reference.

Every size is written as CSV. A fresh process reads it and trains with the defaults; its total time counts. The time to
the reference's error is that of the rating block, which can predict without the other parts.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from bench.machine import describe_machine
from bench.markdown import table
from bench.options import make_parser, positive
from bench.publish import publish
from model.scale import RatingScale
from train.config import TrainConfig
from train.dataset.data import split_ratings
from train.dataset.tensors import index_ratings, look_up_ratings
from train.factors.choose_number import LEAST
from train.factors.in_memory import cut_ratings, sweep_and_predict
from train.factors.sweep import start_state
from train.run import run

SIZES = (100_000, 1_000_000, 10_000_000)
# The held-out error of the reference's notebook, after 108 s on a T4.
REFERENCE_MSE = 3.5436
MOST_GIB = 6.0
_STAGES = ("read", "choose", "fit", "refit", "write")


def measure(path: Path, threads: int) -> dict[str, Any]:
    """Reads one file and trains on it, in this process."""
    with tempfile.TemporaryDirectory() as out:
        config = TrainConfig(data=path, out=Path(out), threads=threads)
        start = time.perf_counter()
        data = config.read(config.data, config.rating_scale)
        read_s = time.perf_counter() - start
        read_gib = _peak_gib()
        metrics = run(config, data)
        total_s = time.perf_counter() - start
    known = metrics["metrics"]["known"]
    return {
        "rows": len(data.ratings),
        "file_mib": path.stat().st_size / 2**20,
        "seconds": {"read": read_s, **metrics["stages_s"], "total": total_s},
        "rows_per_s": len(data.ratings) / total_s,
        "read_peak_gib": read_gib,
        "peak_gib": _peak_gib(),
        "threads": threads,
        "chosen": metrics["chosen"],
        "mse": known["network"]["mse"],
        "bias_mse": known["shrunken_bias"]["mse"],
    }


def time_to_reference(folder: Path, most_sweeps: int = 20) -> dict[str, Any]:
    """Seconds of training, from ratings in memory on, until the held-out error is at most the reference's."""
    torch.set_num_threads(1)
    config = TrainConfig(data=folder)
    data = config.read(config.data, config.rating_scale)
    split = split_ratings(data.ratings)
    scale = RatingScale(*data.rating_scale)
    options = config.factors
    start = time.perf_counter()
    trained = index_ratings(split.train, data.movies)
    rating = trained.ratings.rating
    mean, deviation = float(rating.mean()), float(rating.std())
    target = (rating - mean) / deviation
    counts = (len(trained.user_ids), len(trained.movie_ids))
    parts = cut_ratings(trained.ratings.user_index, trained.ratings.movie_index, target, *counts)
    state = start_state(parts.sweeps, options.noise_candidates[0], LEAST, options, 0, trained.features)
    spent = time.perf_counter() - start
    held_out = look_up_ratings(split.known, trained.user_ids, trained.movie_ids)
    errors: list[dict[str, float]] = []
    while not errors or (errors[-1]["mse"] > REFERENCE_MSE and len(errors) < most_sweeps):
        start = time.perf_counter()
        scores = sweep_and_predict(state, parts, options, held_out)
        spent += time.perf_counter() - start
        predicted = mean + deviation * scores
        gap = predicted.clamp(scale.minimum, scale.maximum) - held_out.rating
        errors.append({"training_s": spent, "mse": float(gap.square().mean())})
    return {"reached": errors[-1]["mse"] <= REFERENCE_MSE, "sweeps": len(errors), **errors[-1], "by_sweep": errors}


def sizes_table(sizes: Sequence[Mapping[str, Any]]) -> str:
    """A table of the sizes, and how the total time grows from each size to the next."""
    rows = []
    for size in sizes:
        seconds = size["seconds"]
        stages = [f"{seconds.get(stage, 0.0):.1f}" for stage in _STAGES]
        rates = [f"{seconds['total']:.1f}", f"{size['rows_per_s']:,.0f}", f"{size['peak_gib']:.2f}"]
        errors = f"{size['mse']:.3f} ({size['bias_mse']:.3f})"
        rows.append([f"{size['rows']:,}", str(size["threads"]), *stages, *rates, errors])
    stage_names = [f"{stage}, s" for stage in _STAGES]
    header = ["ratings", "threads", *stage_names, "all, s", "ratings/s", "peak, GiB", "MSE (biases)"]
    powers = ", ".join(_growth(sizes))
    peak = max(size["peak_gib"] for size in sizes)
    return (
        f"{table(header, 0, rows)}\n\n"
        f"Seconds grow as the number of ratings to the power of {powers} (1 is linear) from row to row. "
        f"At most {MOST_GIB:g} GiB were allowed: {'met' if peak <= MOST_GIB else '**missed**'}."
    )


def _growth(sizes: Sequence[Mapping[str, Any]]) -> list[str]:
    """The exponents of growth: total time against number of ratings, between neighbouring rows with equal threads."""
    exponents = []
    for before, after in itertools.pairwise(sizes):
        if after["threads"] == before["threads"]:
            slower = math.log(after["seconds"]["total"] / before["seconds"]["total"])
            larger = math.log(after["rows"] / before["rows"])
            exponents.append(f"{slower / larger:.2f}")
    return exponents


def _race(reached: Mapping[str, Any]) -> str:
    return (
        f"KMRD-small, held-out MSE at most {REFERENCE_MSE}, which took the reference 108 s on a T4: "
        f"{reached['training_s']:.2f} s of training, sweeps of one block: {reached['sweeps']} "
        f"(MSE {reached['mse']:.3f}); at most 2 s were allowed."
    )


def main() -> None:
    """Makes each size, measures it in a fresh process, and publishes the section `train`."""
    parser = make_parser("bench.train", __doc__)
    parser.add_argument("--rows", type=positive, nargs="+", default=SIZES, help="numbers of ratings")
    parser.add_argument("--threads", type=positive, default=len(os.sched_getaffinity(0)), help="CPU threads")
    parser.add_argument("--kmrd", type=Path, help="KMRD's folder: also measure the time to the reference's error")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure, options.threads)))
        return
    machine = describe_machine()
    figures: dict[str, Any] = {"sizes": [_in_a_fresh_process(rows, options.threads) for rows in options.rows]}
    parts = [sizes_table(figures["sizes"])]
    if options.kmrd:
        figures["reference"] = time_to_reference(options.kmrd)
        parts.append(_race(figures["reference"]))
    publish("train", {**machine, "figures": figures}, "\n\n".join(parts), options)


def _in_a_fresh_process(rows: int, threads: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ratings.csv"
        # A child's peak includes the memory of its parent at the fork, so another process makes the ratings.
        subprocess.run([sys.executable, "-m", "bench.made_ratings", str(path), str(rows)], check=True)
        command = [sys.executable, "-m", "bench.train", "--measure", str(path), "--threads", str(threads)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def _peak_gib() -> float:
    """The most memory that this process has had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    main()
