"""`--folds 5`: how far the errors depend on which ratings are held out. Every fold chooses and fits anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from model.scale import RatingScale
from train import distributed
from train.architectures import ARCHITECTURES
from train.config import TrainConfig
from train.dataset.data import RatingsData
from train.dataset.tensors import index_ratings, look_up_ratings
from train.evaluation.evaluate import evaluate, predict_held_out
from train.evaluation.metrics import RATING_METRICS
from train.resume import FOLDER, Stages, fingerprint
from train.splitting import folds

Results = dict[str, dict[str, dict[str, float]]]


def cross_validate(config: TrainConfig, data: RatingsData, catalogue: pd.DataFrame | None) -> dict[str, Any]:
    """What metrics.json tells of the folds: `folds`, their number, and by group and predictor, as in `evaluate`, each
    metric's `mean` and `deviation` over the folds. {} in all but the first of several processes.
    """
    results = []
    for number, (train, held_out) in enumerate(folds(config, data), 1):
        results.append(_measure(config, data, catalogue, train, held_out, number))
    if distributed.rank():
        return {}
    return {"folds": config.folds, "errors": summarise(results)}


def summarise(results: list[Results]) -> dict[str, Any]:
    """Mean and standard deviation of each metric over the folds; of the groups that every fold has."""
    groups = [group for group in results[0] if all(group in one for one in results)]
    return {
        group: {
            name: {metric: _spread([one[group][name][metric] for one in results]) for metric in RATING_METRICS}
            for name in results[0][group]
        }
        for group in groups
    }


def format_folds(told: dict[str, Any]) -> str:
    """The means and deviations as text, one line per predictor, for the first group of rows."""
    group, by_predictor = next(iter(told["errors"].items()))
    lines = [f"mean ± standard deviation over {told['folds']} folds, {group} rows:"]
    lines.append(" " * 16 + "".join(f"{name:>18}" for name in RATING_METRICS))
    for name, metrics in by_predictor.items():
        cells = (f"{one['mean']:.4f} ± {one['deviation']:.4f}" for one in metrics.values())
        lines.append(f"{name:16}" + "".join(f"{cell:>18}" for cell in cells))
    return "\n".join(lines)


def _measure(
    config: TrainConfig,
    data: RatingsData,
    catalogue: pd.DataFrame | None,
    train: pd.DataFrame,
    held_out: pd.DataFrame,
    number: int,
) -> Results:
    architecture, scale = ARCHITECTURES[config.architecture], RatingScale(*data.rating_scale)
    stages = Stages(config.out / FOLDER / f"fold-{number}", fingerprint(config, data), config.resume)
    trained = index_ratings(train, catalogue)
    choice = architecture.choose(
        trained, scale, replace(config, split="random", tune_for="split"), stages
    )  # the folds are random
    fitted = architecture.fit(trained, scale, config, choice, f"fold {number} of {config.folds}", stages)
    if distributed.rank():
        return {}
    rows = look_up_ratings(held_out, trained.user_ids, trained.movie_ids)
    return evaluate(predict_held_out(fitted.network, trained.ratings, rows, scale))


def _spread(values: list[float]) -> dict[str, float]:
    return {"mean": float(np.mean(values)), "deviation": float(np.std(values, ddof=1))}
