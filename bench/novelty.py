"""`python -m bench.novelty DATA`: what the option `novelty` of a request costs, on held-out ratings.

The ratings are split, and the whole catalogue is ranked, as in `python -m bench.ranking`. `novelty` is applied as in
model/ranking.py.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from bench.markdown import table
from bench.ranking.ours import Ours, fit_ours
from bench.ranking.task import Rows, read_data
from model.ranking import MOST_NOVELTY
from train.evaluation.ranking_scores import Scores
from train.interest.scores import BLEND, INTEREST

NOVELTIES = (0.0, 0.25, 0.5, 0.75, 1.0)
METRICS = ("ndcg@10", "recall@10", "coverage@10", "popularity@10")


def novel_scores(ours: Ours) -> Scores:
    """The blend at each novelty, by its name."""
    rank = ours.scores()
    rarity = ours.interest.rarity[:-1].numpy()

    def score(users: np.ndarray) -> Mapping[str, np.ndarray]:
        scores = rank(users)
        spread = scores[INTEREST].std(axis=1, keepdims=True)
        return {f"{novelty:g}": scores[BLEND] + MOST_NOVELTY * novelty * spread * rarity for novelty in NOVELTIES}

    return score


def measure(ours: Ours, rows: Rows) -> dict[str, dict[str, float]]:
    """The mean of each metric, by novelty."""
    lists = rows.rank(novel_scores(ours))
    return {name: {key: float(value.mean()) for key, value in rows.measure(one).items()} for name, one in lists.items()}


def main() -> None:
    """Prints a table for each data set."""
    parser = argparse.ArgumentParser(prog="python -m bench.novelty", description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="+", type=Path, help="folders or files of ratings")
    for path in parser.parse_args().data:
        data = read_data(path)
        found = measure(fit_ours(data.training, data.scale, seed=0), data.outer)
        lines = [[name, *(f"{values[key]:.3f}" for key in METRICS)] for name, values in found.items()]
        print(table([f"{data.name}: novelty", *METRICS], 1, lines))


if __name__ == "__main__":
    main()
