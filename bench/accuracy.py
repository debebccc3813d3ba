"""`python -m bench.accuracy DATA...`: this project against Surprise and myfm, on the same split and rows, in one run.

The split is the one of the training: a fifth of the rows is held out. Errors are those of the held-out rows whose user
and movie occur in training, since every peer can rate these. With `--split time` the last fifth by time is held out.
Errors are then also those of all its rows and of new users, of whom nothing is known, and rankings follow. This project
is the mean of three seeds; a peer has one seed. Each peer runs alone, in a fresh process of the environment that has
it. Every fit uses one thread.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch

from bench.accuracy_score import Fit, Score, report, score
from bench.accuracy_task import Split, Task, rankings_table, read_task
from bench.machine import ROOT, describe_machine
from bench.options import make_parser
from bench.publish import publish
from train.architectures import ARCHITECTURES
from train.config import PRESETS, TrainConfig
from train.predict import predict
from train.resume import NO_STAGES

OURS = "NCF Serve"
SEEDS = (0, 1, 2)
PEERS = {
    "surprise-baseline": "Surprise BaselineOnly (ALS, reg 2.5 and 5)",
    "surprise-svd": "Surprise SVD",
    "surprise-svd-tuned": "Surprise SVD (50 factors, reg .08)",
    "surprise-svdpp": "Surprise SVD++",
    "myfm-regression": "myfm regression (rank 8)",
    "myfm-probit": "myfm ordered probit (rank 8)",
}
SECTIONS = {"random": "accuracy", "time": "accuracy-by-time"}


def ours(task: Task, config: TrainConfig, features: bool) -> Fit:
    """Chooses and fits on the training rows, and predicts the held-out ones."""
    data = task.with_features if features else task.without_features
    rows = task.rows_with_features if features else task.rows_without_features
    architecture = ARCHITECTURES[config.architecture]
    wall = time.perf_counter()
    cpu = time.process_time()
    choice = architecture.choose(data, task.scale, config, NO_STAGES)
    network = architecture.fit(data, task.scale, config, choice, task.name, NO_STAGES).network
    cpu_s = time.process_time() - cpu
    wall_s = time.perf_counter() - wall
    return Fit(predict(network, rows, task.scale).numpy(), cpu_s, wall_s)


def peer(task: Task, name: str, environments: Path, limit_s: float) -> Fit | None:
    """A peer's fit in its library's environment; None if it took longer than `limit_s`, which ends it."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in.npz"
        target = Path(folder) / "out.npz"
        _write_task(task, source)
        python = environments / name.split("-")[0] / "bin" / "python"
        command = [str(python), str(ROOT / "bench" / "peers_accuracy.py"), name, str(source), str(target)]
        threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        try:
            subprocess.run(
                command, env={**os.environ, **threads}, check=True, timeout=limit_s, capture_output=True, text=True
            )
        except subprocess.TimeoutExpired:
            return None
        except subprocess.CalledProcessError as error:
            raise RuntimeError(f"{name}: {error.stderr.strip()}") from error
        with np.load(target, allow_pickle=False) as found:
            return Fit(found["predicted"], float(found["cpu_s"]), float(found["wall_s"]), str(found["version"]))


def _write_task(task: Task, path: Path) -> None:
    """Writes the arrays that bench/peers_accuracy.py reads."""
    train = task.without_features.ratings
    rows = task.rows_without_features
    np.savez(
        path,
        user=train.user_index.numpy(),
        movie=train.movie_index.numpy(),
        rating=train.rating.numpy(),
        test_user=rows.user_index.numpy(),
        test_movie=rows.movie_index.numpy(),
        num_users=len(task.without_features.user_ids),
        num_movies=len(task.without_features.movie_ids),
        scale=np.array([task.scale.minimum, task.scale.maximum]),
    )


def measure(task: Task, options: argparse.Namespace) -> dict[str, list[Score]]:
    """The scores of one data set by group of rows, this project's first."""
    scores: dict[str, list[Score]] = {group: [] for group in task.groups}
    base: np.ndarray | None = None
    for title, fits in _all_fits(task, options):
        print(f"{task.name}: {title}", file=sys.stderr)
        if base is None:
            base = np.mean([np.square(fit.predicted.astype(np.float64) - task.truth) for fit in fits], axis=0)
        for group, rows in task.groups.items():
            own = [replace(fit, predicted=fit.predicted[rows]) for fit in fits]
            scores[group].append(score(title, own, task.truth[rows], base[rows]))
    return scores


def _all_fits(task: Task, options: argparse.Namespace) -> Iterator[tuple[str, list[Fit]]]:
    """The fits of each line of the table; none for a peer that took too long."""
    seeds = [replace(PRESETS["default"], split=task.split, seed=seed) for seed in SEEDS]
    yield OURS, [ours(task, config, features=True) for config in seeds]
    if task.with_features.features is not None:
        yield f"{OURS}, --no-features", [ours(task, config, features=False) for config in seeds]
    if options.reference:
        yield "reference network", [ours(task, PRESETS["reference"], features=False)]
    for name, title in PEERS.items():
        fit = peer(task, name, options.peers, options.limit_s)
        yield title, [fit] if fit is not None else []


def main() -> None:
    """Measures, and publishes the section of the split."""
    parser = make_parser("bench.accuracy", __doc__)
    parser.add_argument("data", type=Path, nargs="*", default=[Path("build/demo")], help="folders or files of ratings")
    parser.add_argument("--peers", type=Path, default=ROOT / ".venv-peers", help="folder of the peers' environments")
    parser.add_argument("--split", choices=get_args(Split), default="random", help="which fifth is held out")
    parser.add_argument("--reference", action="store_true", help="train the reference network too, a minute per set")
    parser.add_argument("--limit-s", type=float, default=300.0, help="the most seconds for a peer's process")
    options = parser.parse_args()
    torch.set_num_threads(1)
    machine = describe_machine()
    tables: list[str] = []
    results: dict[str, Any] = {}
    versions: dict[str, str] = {}
    for folder in options.data:
        task = read_task(folder, options.split)
        results[task.name] = {}
        for group, scores in measure(task, options).items():
            results[task.name][group] = [asdict(one) for one in scores]
            versions |= {one.name.split()[0]: one.version for one in scores if one.version}
            title = task.name if options.split == "random" else f"{task.name}, the last fifth by time, {group}"
            rows = int(task.groups[group].sum())
            tables.append(report(title, len(task.without_features.ratings), rows, scores, options.limit_s))
        if options.split == "time":
            tables.append(f"Rankings by time, seed {SEEDS[0]}:\n\n{rankings_table(task, SEEDS[0])}")
    machine["versions"] |= versions
    publish(SECTIONS[options.split], {**machine, "data": results}, "\n\n".join(tables), options)


if __name__ == "__main__":
    main()
