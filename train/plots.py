"""Pictures of a run: the learning curve and the ratings' histogram, as PNG."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from train.fit import FitLog

_BARS = 40


def plot_learning_curve(log: FitLog, baseline_mse: float | None, path: Path) -> None:
    """Error by epoch or sweep: of the training rows (dropout on), of the watched rows, and a baseline's as a line."""
    with _axes(path, "Learning curve", "epoch or sweep", "mean squared error") as axes:
        epochs = np.arange(1, max(len(log.train_mse), len(log.watched_mse)) + 1)
        if log.train_mse:
            axes.plot(epochs, log.train_mse, marker="o", label="training rows, dropout on")
        if log.watched_mse:
            axes.plot(epochs, log.watched_mse, marker="o", label="inner validation rows")
            axes.axvline(log.best_epoch, color="grey", linestyle=":", label=f"best: {log.best_epoch}")
        if baseline_mse is not None:
            axes.axhline(baseline_mse, color="black", linestyle="--", label="shrunken bias, held-out rows")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if axes.lines:
            axes.legend(frameon=False)


def plot_rating_histogram(ratings: np.ndarray, path: Path) -> None:
    """How often each rating was given, (num_ratings,) in rating units."""
    with _axes(path, f"{len(ratings):,} ratings, mean {ratings.mean():.2f}", "rating", "ratings") as axes:
        values, counts = np.unique(ratings, return_counts=True)
        if len(values) > _BARS:
            counts, edges = np.histogram(ratings, bins=_BARS)
            values = (edges[1:] + edges[:-1]) / 2
        axes.bar(values, counts, width=0.9 * np.diff(values).min() if len(values) > 1 else 0.5)


@contextmanager
def _axes(path: Path, title: str, xlabel: str, ylabel: str) -> Iterator[Axes]:
    matplotlib.use("agg")  # no screen is needed, and none is looked for
    figure = Figure(figsize=(6.4, 4), layout="constrained")
    axes = figure.add_subplot(title=title, xlabel=xlabel, ylabel=ylabel)
    axes.spines[["top", "right"]].set_visible(False)
    yield axes
    partial = path.with_name(f".{path.name}.partial")
    figure.savefig(partial, dpi=150, format="png")
    partial.replace(path)
