"""`python -m bench.growth`: a model of 10 million users and 1 million movies, made here, not trained.

How long it takes to load, what memory it needs beyond an empty process, what a pair costs beside a small model's, and
how long one look through the million movies takes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch

from bench.machine import describe_machine, write_results
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
_PAIRS = 1_000
_BATCH = 32


def make_artifact(path: Path, users: int, movies: int) -> None:
    """An untrained artifact of this size, with sparse integer ids."""
    generator = np.random.default_rng(0)
    ids = [np.cumsum(generator.integers(1, 40, number)) for number in (users, movies)]
    network = _network(users, movies)
    history = History(np.zeros(users + 1, dtype=np.int32), np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32))
    maps = (IdMap(ids[0]), IdMap(ids[1]))
    save_artifact(Artifact(network, *maps, RatingScale(1, 10), history, Catalogue({}, movies), {}), path)


def _network(users: int, movies: int) -> FactorNetwork:
    """The default architecture at its default sizes, with random tables."""
    torch.manual_seed(0)
    k, hidden, levels = 9, 16, torch.arange(1.0, 11.0)
    linear, rank = (
        FoldIn(
            torch.randn(movies + 1, k) * 0.1,
            torch.zeros(movies + 1, k * (k + 1) // 2),
            torch.ones(movies + 1),
            torch.zeros(k),
            torch.eye(k),
            1e6,
            torch.zeros(k),
        )
        for _ in range(2)
    )
    share, score = torch.full((10,), 0.1), torch.linspace(-1.5, 1.5, 10)
    head = OrdinalHead(levels[:-1] + 0.5, (levels - 1) / 9, share, score, k - 1, hidden, 0.0)
    rows = torch.randn(movies + 1, 2 * k + hidden) * 0.1
    network = FactorNetwork(linear, rank, head, rows, users, (5.5, 2.0), RatingScale(1, 10), 0.5)
    with torch.no_grad():
        network.user_embedding.weight.normal_(0, 0.1)
    return network.eval()


def measure(path: Path) -> dict[str, float]:
    """Figures of one artifact, in this process."""
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
    drawn = [(random.choice(users, _PAIRS), random.choice(movies, _PAIRS)) for _ in range(50)]
    asks = [ColumnsAsk(*columns) for columns in drawn]
    pair_s = _median_s(lambda number: predictor.answer([asks[number % len(asks)]]), 200) / _PAIRS
    batches = [[PairAsk(*pair) for pair in zip(*(ids[:_BATCH].tolist() for ids in one), strict=True)] for one in drawn]
    single_s = _median_s(lambda number: predictor.answer(batches[number % len(batches)]), 400) / _BATCH
    peak = process.memory_info().rss
    best_s = _median_s(lambda number: predictor.answer([BestAsk(int(users[number]), top_k=10)]), 5)
    return {
        "load_s": load_s,
        "tables_mib": tables / 2**20,
        "memory_mib": (peak - empty) / 2**20,
        "memory_per_table_byte": (peak - empty) / tables,
        "single_pair_us": single_s * 1e6,
        "column_pair_us": pair_s * 1e6,
        "best_of_all_s": best_s,
        "best_of_all_extra_mib": (process.memory_info().rss - peak) / 2**20,
    }


def _median_s(call: Any, times: int) -> float:
    spent = []
    for number in range(times):
        start = time.perf_counter()
        call(number)
        spent.append(time.perf_counter() - start)
    return float(np.median(spent))


def main() -> None:
    """Makes both artifacts, measures each in a fresh process, prints and writes the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__.splitlines()[0])
    parser.add_argument("--artifact", type=Path, default=Path("build/1.0/ncf.pt"), help="the small model beside it")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure)))
        return
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "large.pt"
        make_artifact(large, USERS, MOVIES)
        figures = {name: _in_a_fresh_process(path) for name, path in (("small", options.artifact), ("large", large))}
    small, big = figures["small"], figures["large"]
    single, column = (big[name] / small[name] for name in ("single_pair_us", "column_pair_us"))
    goals = [
        ("load, s", big["load_s"], 15.0),
        ("memory beyond an empty process, per byte of its tables", big["memory_per_table_byte"], 1.3),
        ("a pair asked alone, in a batch of 32: times the small model's", single, 1.5),
        ("a pair among 1,000 in columns: times the small model's", column, 1.5),
    ]
    lines = ["| 10 million users, 1 million movies | measured | at most | |", "|---|--:|--:|---|"]
    lines += [
        f"| {what} | {got:.2f} | {most} | {'met' if got <= most else '**missed**'} |" for what, got, most in goals
    ]
    lines += ["", f"The ten best of 1 million movies: {big['best_of_all_s'] * 1e3:.0f} ms on one core, "]
    lines[-1] += f"{big['best_of_all_extra_mib']:.0f} MiB beside the tables of {big['tables_mib']:.0f} MiB."
    print("\n".join(lines))
    write_results("growth", {**describe_machine(options.artifact), "figures": figures}, "\n".join(lines))


def _in_a_fresh_process(path: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.growth", "--measure", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


if __name__ == "__main__":
    main()
