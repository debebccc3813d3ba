"""One training run, from ratings to a written artifact.

What is to be chosen is chosen on an inner split of the training rows; the held-out rows are looked at once, to
report; what is served is then trained on everything, so that no rated user or movie is a stranger to it.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

import torch

from model.scale import RatingScale
from train.config import TrainConfig
from train.data import RatingsData, split_ratings
from train.evaluate import evaluate, predict_held_out
from train.factors import choose_factors, fit_factors
from train.method import Method
from train.mlp import choose_mlp, fit_mlp
from train.output import describe, write
from train.plots import learning_curve, rating_histogram, save_picture
from train.tensors import index_ratings, look_up_ratings

METHODS = {"factors": Method(choose_factors, fit_factors), "mlp": Method(choose_mlp, fit_mlp)}


def run(config: TrainConfig, data: RatingsData) -> dict[str, Any]:
    """Trains, reports and writes everything under `config.out`; returns what metrics.json holds."""
    started = time.perf_counter()
    if config.threads:
        torch.set_num_threads(config.threads)
    scale, method = RatingScale(*data.rating_scale), METHODS[config.architecture]
    catalogue = data.movies if config.features and config.architecture == "factors" else None
    split = split_ratings(data.ratings, config.test_size, config.split_seed, data.source) if config.test_size else None

    trained = index_ratings(split.train if split else data.ratings, catalogue)
    choice = method.choose(trained, scale, config)
    fitted = method.fit(trained, scale, config, choice, "train")
    training_s = time.perf_counter() - started
    rows_per_s = round(fitted.passes * len(trained.ratings) / training_s)
    results: dict[str, Any] = {}
    predicted = None
    if split:
        held_out = look_up_ratings(split.validation, trained.user_ids, trained.movie_ids)
        predicted = predict_held_out(fitted.network, trained.ratings, held_out, scale)
        results = evaluate(predicted)
        if config.refit:
            trained = index_ratings(data.ratings, catalogue)
            fitted = method.fit(trained, scale, config, choice, "refit on all")

    metrics = describe(config, data, fitted.network, choice, results)
    config.out.mkdir(parents=True, exist_ok=True)
    baseline = results.get("known", {}).get("shrunken_bias", {}).get("mse")
    log = choice.log if choice.log.watched_mse else fitted.log
    save_picture(learning_curve(log, baseline), config.out / "learning_curve.png")
    save_picture(rating_histogram(trained.ratings.rating.numpy()), config.out / "rating_histogram.png")
    metrics |= {"training_s": round(training_s, 3), "rows_per_s": rows_per_s, "learning_curve": asdict(log)}
    metrics["wall_s"] = round(time.perf_counter() - started, 3)
    metrics["digest"] = write(fitted.network, trained, scale, data, metrics, config.out, predicted)
    return metrics
