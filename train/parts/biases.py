"""The baselines of train/evaluation/baselines.py, fitted by parts: the same closed forms, summed up by the tree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from train.evaluation.baselines import MOVIE_SHRINKAGE, SWEEPS, USER_SHRINKAGE, BiasModel
from train.parts.load import Part
from train.parts.tree import Tree


def fit_biases(parts: Sequence[Part], tree: Tree, num_items: int, mean: float) -> dict[int, dict[str, BiasModel]]:
    """By part the baselines of its users and of all items, fitted on the ratings that are not held out."""
    rows = {part.number: _rows(part, mean) for part in parts}
    count = _sums({one: (item, np.ones(len(item))) for one, (_, item, _) in rows.items()}, tree, num_items)
    user_bias = {part.number: np.zeros(len(part.rows.users) + 1) for part in parts}
    movie_mean = movie_bias = np.zeros(num_items + 1)
    for sweep in range(SWEEPS):
        left = {one: (item, residual - user_bias[one][owner]) for one, (owner, item, residual) in rows.items()}
        sums = _sums(left, tree, num_items)
        if sweep == 0:
            movie_mean = sums / np.maximum(count, 1e-12)
        movie_bias = sums / (MOVIE_SHRINKAGE + count)
        for one, (owner, item, residual) in rows.items():
            num = len(user_bias[one])
            total = np.bincount(owner, weights=residual - movie_bias[item], minlength=num)
            user_bias[one] = total / (USER_SHRINKAGE + np.bincount(owner, minlength=num))
    nobody, nothing = np.zeros(1), np.zeros(num_items + 1)
    return {
        one: {
            "global_mean": BiasModel(mean, np.resize(nobody, len(bias)), nothing),
            "movie_mean": BiasModel(mean, np.resize(nobody, len(bias)), movie_mean),
            "shrunken_bias": BiasModel(mean, bias, movie_bias),
        }
        for one, bias in user_bias.items()
    }


def _rows(part: Part, mean: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Users, items and ratings less their mean of what is trained on."""
    kept = ~part.held_out
    return part.rows.owner[kept], part.rows.item[kept], part.rows.rating[kept].astype(np.float64) - mean


def _sums(rows: dict[int, tuple[np.ndarray, np.ndarray]], tree: Tree, num_items: int) -> np.ndarray:
    """The sum (M + 1,) of the parts' weights by item."""
    sums = tree.new_sum()
    for part, (item, weight) in rows.items():
        sums.add(part, torch.from_numpy(np.bincount(item, weights=weight, minlength=num_items + 1)))
    total: np.ndarray = sums.total().numpy()
    return total
