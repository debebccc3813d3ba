"""Which pictures a report shows, and what is said under each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from model.artifact import Artifact
from model.vocabulary import Vocabulary, plural
from train.evaluation.diagnosis import errors_by_count, level_reliability, reliability, truth_levels
from train.evaluation.evaluate import NETWORK, shown_predictor
from train.evaluation.held_out import HeldOut
from train.evaluation.plots import Draw, Theme, learning_curve, rating_histogram, save_picture
from train.evaluation.report_plots import (
    calibration,
    error_by_count,
    level_shares,
    predicted_against_true,
    ratings_each,
)
from train.fit_log import FitLog

ERRORS, CALIBRATION, DATA = "errors", "calibration", "data"
_COMPARED = (NETWORK, "shrunken_bias", "movie_mean")


class Picture(NamedTuple):
    """A picture with its file name (without suffix), the section it belongs to, and its words."""

    section: str
    name: str
    title: str
    caption: str
    draw: Draw

    def save(self, path: Path, theme: Theme) -> None:
        """Draws it for this paper."""
        save_picture(self.draw, path, theme)


def pictures(artifact: Artifact, metrics: dict[str, Any], held_out: HeldOut | None) -> Iterator[Picture]:
    """All pictures of a version, in the order of the page; without held-out rows only those of training and data."""
    log = FitLog(**metrics["learning_curve"])
    if log.train_mse or log.watched_mse:
        what = "The error that training watched; what is served was fitted for as long as the best point says."
        yield Picture(ERRORS, "learning_curve", "Learning curve", what, learning_curve(log))
    if held_out is not None:
        yield from _errors(held_out, artifact.words)
        yield from _calibration(held_out)
    yield from _data(artifact)


def _errors(held_out: HeldOut, words: Vocabulary) -> Iterator[Picture]:
    values, level = truth_levels(held_out.truth)
    predicted = held_out.predictions[NETWORK]
    what = "What the network said of each rating given. Predictions are expectations, so they lie nearer the mean."
    draw = predicted_against_true(values, level, predicted)
    yield Picture(ERRORS, "predicted_against_true", "Predicted against true", what, draw)
    compared = {shown_predictor(name, words): held_out.predictions[name] for name in _COMPARED}
    for side, counts in (("user", held_out.user_ratings), (words.item, held_out.movie_ratings)):
        bins = errors_by_count(counts, held_out.truth, compared)
        label = f"training ratings of the {side}"
        what = f"Over all held-out rows, by how much is known of the {side}: one standard error, rows as bars (right)."
        title = f"Error by a {side}’s number of ratings"
        yield Picture(ERRORS, f"error_by_{side}_ratings", title, what, error_by_count(bins, label))


def _calibration(held_out: HeldOut) -> Iterator[Picture]:
    if not len(held_out.level_value):
        bins = reliability(held_out.predictions[NETWORK].astype(np.float64), held_out.truth.astype(np.float64))
        what = f"Mean rating given by predicted rating, in bins of equal size; the mean gap is {bins.gap:.3f}."
        draw = calibration(bins, "predicted rating", "mean rating given")
        yield Picture(CALIBRATION, "calibration", "Calibration of the expected rating", what, draw)
        return
    level = np.searchsorted(held_out.level_edges, held_out.truth)
    bins = level_reliability(held_out.level_probability, level)
    what = f"How often a rating was given, by its probability; mean gap {bins.gap:.4f}, bars of two standard errors."
    draw = calibration(bins, "predicted probability of a level", "share of rows with it")
    yield Picture(CALIBRATION, "calibration", "Calibration of the levels’ probabilities", what, draw)
    said = held_out.level_probability.astype(np.float64).mean(0)
    happened = np.bincount(level, minlength=len(said)) / len(level)
    what = "The mean probability of each level beside how often it was given."
    draw = level_shares(held_out.level_value, said, happened)
    yield Picture(CALIBRATION, "level_shares", "Distribution of the ratings", what, draw)


def _data(artifact: Artifact) -> Iterator[Picture]:
    history = artifact.history
    what = "The ratings that the served network was trained on."
    yield Picture(DATA, "rating_histogram", "Ratings", what, rating_histogram(history.ratings))
    by_movie = np.bincount(history.movie_index, minlength=len(artifact.movie_ids))
    for each, counts in (("user", np.diff(history.offsets)), (artifact.words.item, by_movie)):
        what = f"How many {plural(each)} have how many ratings; each bar doubles the number."
        yield Picture(DATA, f"ratings_per_{each}", f"Ratings per {each}", what, ratings_each(counts, each))
