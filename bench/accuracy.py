"""`python -m bench.accuracy DATA...`: this project beside Surprise and myfm, same split, same rows, in one run.

The split is that of train/dataset/data.py: a fifth of the rows is held out, and errors are of the held-out rows whose
user and movie occur in training, which is what every peer can rate. This project is the mean of three seeds;
a peer has one. Each peer runs alone, in a fresh process of the interpreter that has it; every fit has one thread.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.accuracy_score import Fit, Score, score, table
from bench.machine import describe_machine, write_results
from model.scale import RatingScale
from train.config import PRESETS, TrainConfig
from train.dataset.data import RatingsData, split_ratings
from train.dataset.tensors import Ratings, TrainingSet, index_ratings, look_up_ratings
from train.predict import predict
from train.readers import load_ratings
from train.resume import NO_STAGES
from train.architectures import ARCHITECTURES

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
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Task:
    """One data set, split: what is trained on, with the catalogue's facts and without, and the rows to be rated."""

    name: str
    scale: RatingScale
    with_facts: TrainingSet
    plain: TrainingSet
    facts_rows: Ratings
    plain_rows: Ratings

    @property
    def truth(self) -> np.ndarray:
        """Ratings of the rows to be rated (B,), in rating units."""
        return self.plain_rows.rating.numpy()


def read_task(folder: Path) -> Task:
    """The reference split of a folder of ratings."""
    data: RatingsData = load_ratings(folder, "auto")
    split = split_ratings(data.ratings, source=data.source)
    facts, plain = (index_ratings(split.train, catalogue) for catalogue in (data.movies, None))
    facts_rows, plain_rows = (look_up_ratings(split.known, one.user_ids, one.movie_ids) for one in (facts, plain))
    return Task(folder.resolve().name, RatingScale(*data.rating_scale), facts, plain, facts_rows, plain_rows)


def ours(task: Task, config: TrainConfig, facts: bool) -> Fit:
    """Choice and fit on the training rows, and what the network says of the others."""
    data, rows = (task.with_facts, task.facts_rows) if facts else (task.plain, task.plain_rows)
    architecture = ARCHITECTURES[config.architecture]
    wall, cpu = time.perf_counter(), time.process_time()
    choice = architecture.choose(data, task.scale, config, NO_STAGES)
    network = architecture.fit(data, task.scale, config, choice, task.name, NO_STAGES).network
    spent = time.process_time() - cpu, time.perf_counter() - wall
    return Fit(predict(network, rows, task.scale).numpy(), *spent)


def peer(task: Task, name: str, environments: Path, limit_s: float) -> Fit | None:
    """A peer's fit in its library's environment; None where it took longer than `limit_s`, which ends it."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.npz", Path(folder) / "out.npz"
        train, rows = task.plain.ratings, task.plain_rows
        np.savez(
            source,
            user=train.user_index.numpy(),
            movie=train.movie_index.numpy(),
            rating=train.rating.numpy(),
            test_user=rows.user_index.numpy(),
            test_movie=rows.movie_index.numpy(),
            num_users=len(task.plain.user_ids),
            num_movies=len(task.plain.movie_ids),
            scale=np.array([task.scale.minimum, task.scale.maximum]),
        )
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


def measure(task: Task, options: argparse.Namespace) -> Iterator[Score]:
    """Scores of one data set, this project's first."""
    default = PRESETS["default"]
    runs: dict[str, Callable[[], list[Fit | None]]] = {
        OURS: lambda: [ours(task, replace(default, seed=seed), True) for seed in SEEDS]
    }
    if task.with_facts.features is not None:
        runs[f"{OURS}, --no-features"] = lambda: [ours(task, replace(default, seed=seed), False) for seed in SEEDS]
    if options.reference:
        runs["reference network"] = lambda: [ours(task, PRESETS["reference"], False)]
    for name, title in PEERS.items():
        runs[title] = partial(_once, task, name, options.peers, options.limit_s)
    base: np.ndarray | None = None
    for title, run in runs.items():
        fits = [fit for fit in run() if fit is not None]
        print(f"{task.name}: {title}", file=sys.stderr)
        if base is None:
            base = np.mean([np.square(fit.predicted.astype(np.float64) - task.truth) for fit in fits], axis=0)
        yield score(title, fits, task.truth, base)


def _once(task: Task, name: str, environments: Path, limit_s: float) -> list[Fit | None]:
    return [peer(task, name, environments, limit_s)]


def main() -> None:
    """Measures, prints, and writes bench/results/accuracy.json and its section of bench/README.md."""
    parser = argparse.ArgumentParser(prog="python -m bench.accuracy", description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, nargs="*", default=[Path("build/demo")], help="folders or files of ratings")
    parser.add_argument("--peers", type=Path, default=ROOT / ".venv-peers", help="folder of the peers' environments")
    parser.add_argument("--reference", action="store_true", help="train the reference network too, a minute per set")
    parser.add_argument("--limit-s", type=float, default=300.0, help="most seconds of a peer's process")
    options = parser.parse_args()
    torch.set_num_threads(1)
    machine = describe_machine()  # of the code that runs now, whatever is committed meanwhile
    tables: list[str] = []
    results: dict[str, Any] = {}
    versions: dict[str, str] = {}
    for folder in options.data:
        task = read_task(folder)
        scores = list(measure(task, options))
        results[task.name] = [asdict(one) for one in scores]
        versions |= {one.name.split()[0]: one.version for one in scores if one.version}
        tables.append(table(task.name, len(task.plain.ratings), len(task.truth), scores, options.limit_s))
    text = "\n\n".join(tables)
    print(text)
    machine["versions"] |= versions
    write_results("accuracy", {**machine, "data": results}, text)


if __name__ == "__main__":
    main()
