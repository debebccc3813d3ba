"""`python -m bench.growth`: the cost of a model with 10 million users and 1 million movies, made without training.

It measures the time to load, the memory beyond that of an empty process, the time of a pair compared with that in a
small model, and the time to score all movies for one user.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import psutil
import torch

from bench.goals import Goal, goals_table
from bench.machine import describe_machine
from bench.options import artifact_parser, check
from bench.publish import publish
from bench.workloads import PAIRS, TOP_K
from model.artifact import Artifact, load_artifact, save_artifact
from model.asks import BestAsk, ColumnsAsk, PairAsk
from model.catalogue import Catalogue
from model.factor_network import FactorNetwork
from model.fold_in import FoldIn
from model.history import History
from model.ids import IdMap
from model.ordinal import OrdinalHead
from model.predictor import Predictor
from model.scale import RatingScale

USERS, MOVIES = 10_000_000, 1_000_000
_BATCH = 32


def make_artifact(path: Path, users: int, movies: int) -> None:
    """Writes an untrained artifact of this size, with sparse integer ids and an empty history."""
    generator = np.random.default_rng(0)
    user_ids = IdMap(np.cumsum(generator.integers(1, 40, users)))
    movie_ids = IdMap(np.cumsum(generator.integers(1, 40, movies)))
    history = History(np.zeros(users + 1, dtype=np.int32), np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32))
    network = make_network(users, movies)
    artifact = Artifact(network, user_ids, movie_ids, RatingScale(1, 10), history, Catalogue({}, movies), {})
    save_artifact(artifact, path)


def make_network(users: int, movies: int) -> FactorNetwork:
    """The default architecture at its default sizes, with random tables."""
    torch.manual_seed(0)
    k, hidden = 9, 16
    levels = torch.arange(1.0, 11.0)
    share = torch.full((10,), 0.1)
    score = torch.linspace(-1.5, 1.5, 10)
    head = OrdinalHead(levels[:-1] + 0.5, (levels - 1) / 9, share, score, k - 1, hidden, 0.0)
    rating_block = _block(movies, k)
    score_block = _block(movies, k)
    rows = torch.randn(movies + 1, 2 * k + hidden) * 0.1
    network = FactorNetwork(rating_block, score_block, head, rows, users, (5.5, 2.0), RatingScale(1, 10), 0.5)
    with torch.no_grad():
        network.user_embedding.weight.normal_(0, 0.1)
    return network.eval()


def _block(movies: int, k: int) -> FoldIn:
    """Random movie vectors of k entries, with the statistics that folding in needs."""
    return FoldIn(
        torch.randn(movies + 1, k) * 0.1,
        torch.zeros(movies + 1, k * (k + 1) // 2),
        torch.ones(movies + 1),
        torch.zeros(k),
        torch.eye(k),
        1e6,
        torch.zeros(k),
    )


def measure(path: Path) -> dict[str, float]:
    """The figures of one artifact, measured in this process."""
    torch.set_num_threads(1)
    process = psutil.Process()
    empty = process.memory_info().rss
    start = time.perf_counter()
    artifact = load_artifact(path)
    tables = sum(table.nbytes for table in artifact.network.state_dict().values())
    predictor = Predictor(artifact)
    load_s = time.perf_counter() - start
    random = np.random.default_rng(1)
    users, movies = artifact.user_ids.ids, artifact.movie_ids.ids
    columns = [ColumnsAsk(random.choice(users, PAIRS), random.choice(movies, PAIRS)) for _ in range(50)]
    column_s = _median_s(lambda number: predictor.answer([columns[number % len(columns)]]), 200) / PAIRS
    batches = [_first_pairs(ask, _BATCH) for ask in columns]
    single_s = _median_s(lambda number: predictor.answer(batches[number % len(batches)]), 400) / _BATCH
    peak = process.memory_info().rss
    best_s = _median_s(lambda number: predictor.answer([BestAsk(int(users[number]), top_k=TOP_K)]), 5)
    return {
        "load_s": load_s,
        "tables_mib": tables / 2**20,
        "memory_mib": (peak - empty) / 2**20,
        "memory_per_table_byte": (peak - empty) / tables,
        "single_pair_us": single_s * 1e6,
        "column_pair_us": column_s * 1e6,
        "best_of_all_s": best_s,
        "best_of_all_extra_mib": (process.memory_info().rss - peak) / 2**20,
    }


def _first_pairs(columns: ColumnsAsk, number: int) -> list[PairAsk]:
    users = np.asarray(columns.user_ids)[:number].tolist()
    movies = np.asarray(columns.movie_ids)[:number].tolist()
    return [PairAsk(user, movie) for user, movie in zip(users, movies, strict=True)]


def _median_s(call: Callable[[int], object], times: int) -> float:
    spent = []
    for number in range(times):
        start = time.perf_counter()
        call(number)
        spent.append(time.perf_counter() - start)
    return float(np.median(spent))


def main() -> None:
    """Makes the large artifact, measures each in a fresh process, and publishes the section `growth`."""
    parser = artifact_parser("bench.growth", __doc__)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure)))
        return
    check(parser, options.artifact)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "large.pt"
        make_artifact(made, USERS, MOVIES)
        small = _in_a_fresh_process(options.artifact)
        large = _in_a_fresh_process(made)
    figures = {"small": small, "large": large}
    publish("growth", {**describe_machine(options.artifact), "figures": figures}, report(small, large), options)


def report(small: Mapping[str, float], large: Mapping[str, float]) -> str:
    """The goals of the large model as a table, and the cost of the best of all movies."""
    single = large["single_pair_us"] / small["single_pair_us"]
    column = large["column_pair_us"] / small["column_pair_us"]
    goals = [
        Goal("load, s", large["load_s"], "<=", 15.0),
        Goal("memory beyond an empty process, per byte of its tables", large["memory_per_table_byte"], "<=", 1.3),
        Goal("a pair asked alone, in a batch of 32: times the small model's", single, "<=", 1.5),
        Goal("a pair among 1,000 in columns: times the small model's", column, "<=", 1.5),
    ]
    best = (
        f"The ten best of 1 million movies: {large['best_of_all_s'] * 1e3:.0f} ms on one core, "
        f"{large['best_of_all_extra_mib']:.0f} MiB beside the tables of {large['tables_mib']:.0f} MiB."
    )
    return f"{goals_table(goals)}\n\n{best}"


def _in_a_fresh_process(path: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.growth", "--measure", str(path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


if __name__ == "__main__":
    main()
