"""Errors on held-out ratings, the network's beside the baselines', all on the same rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from model.network import RatingNetwork
from model.scale import RatingScale
from model.vocabulary import MOVIES, Vocabulary, counted
from train.architectures import architecture_of
from train.dataset.tensors import Ratings
from train.evaluation.baselines import fit_baselines
from train.evaluation.held_out import HeldOut
from train.evaluation.metrics import RATING_METRICS
from train.method import NO_LEVELS
from train.predict import predict

NETWORK = "network"


def predict_held_out(network: RatingNetwork, train: Ratings, held_out: Ratings, scale: RatingScale) -> HeldOut:
    """What the network and the baselines, fitted on `train`, say of the held-out rows, clipped to the scale."""
    predictions = {NETWORK: predict(network, held_out, scale).numpy()}
    rows = (held_out.user_index.numpy(), held_out.movie_index.numpy())
    trained = (train.user_index.numpy(), train.movie_index.numpy(), train.rating.numpy().astype(np.float64))
    for name, model in fit_baselines(*trained, network.num_users, network.num_movies).items():
        predicted = model.predict(*rows).clip(scale.minimum, scale.maximum)
        predictions[name] = predicted.astype(np.float32)
    # A movie may have a row but no rating, and the row after the last is the unknown one's.
    user_ratings = np.bincount(trained[0], minlength=network.num_users + 1).astype(np.int32)[rows[0]]
    movie_ratings = np.bincount(trained[1], minlength=network.num_movies + 1).astype(np.int32)[rows[1]]
    truth = held_out.rating.numpy()
    predict_levels = architecture_of(network).predict_levels
    levels = NO_LEVELS if predict_levels is None else predict_levels(network, held_out, scale)
    return HeldOut(np.arange(len(truth)), user_ratings, movie_ratings, truth, predictions, *levels)


def evaluate(held_out: HeldOut) -> dict[str, dict[str, dict[str, float]]]:
    """Errors by group of rows (`HeldOut.groups`), by predictor; a group without rows is left out.

    Errors are as in `errors`; a baseline's tell also how the network compares, as in `paired`.
    """
    results = {}
    for group, mask in held_out.groups().items():
        if mask.any():
            ours, truth = held_out.predictions[NETWORK][mask], held_out.truth[mask]
            results[group] = {
                name: errors(predicted[mask], truth) | ({} if name == NETWORK else paired(ours, predicted[mask], truth))
                for name, predicted in held_out.predictions.items()
            }
    return results


def errors(predicted: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    """Every metric of `RATING_METRICS` of ratings (B,), by name, and `rows`, B."""
    difference = predicted.astype(np.float64) - truth
    return {**{name: metric(difference) for name, metric in RATING_METRICS.items()}, "rows": len(difference)}


def paired(network: np.ndarray, baseline: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """The mean difference of squared errors, network less baseline, of the same rows (B,), and its standard error."""
    difference = np.square(network.astype(np.float64) - truth) - np.square(baseline.astype(np.float64) - truth)
    error = float(difference.std(ddof=1)) / len(difference) ** 0.5 if len(difference) > 1 else 0.0
    return {"network_minus_this": float(difference.mean()), "standard_error": error}


def shown_predictor(name: str, words: Vocabulary) -> str:
    """A predictor as people read it: `movie_mean` by the word for an item."""
    return name.replace("movie", words.item)


def format_table(results: dict[str, dict[str, dict[str, float]]], words: Vocabulary = MOVIES) -> str:
    """The results as text, one line per predictor, groups side by side."""
    groups = list(results)
    names = list(next(iter(results.values())))
    titles = [f"{group} ({counted(int(results[group][names[0]]['rows']), 'row')})" for group in groups]
    lines = [" " * 16 + "".join(f"{title:>{10 * len(RATING_METRICS)}}" for title in titles)]
    lines.append(" " * 16 + "".join(f"{name:>10}" for name in RATING_METRICS) * len(groups))
    for name in names:
        cells = (results[group][name] for group in groups)
        lines.append(
            f"{shown_predictor(name, words):16}"
            + "".join(f"{cell[metric]:10.4f}" for cell in cells for metric in RATING_METRICS)
        )
    lines.append(f"network - {names[-1]}, squared error with its standard error:")
    last = (results[group][names[-1]] for group in groups)
    compared = (f"{c['network_minus_this']:+.4f} ± {c['standard_error']:.4f}" for c in last)
    lines.append(" " * 16 + "".join(f"{text:>{10 * len(RATING_METRICS)}}" for text in compared))
    return "\n".join(lines)
