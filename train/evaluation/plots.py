"""How every picture is drawn: one size, one palette, on light and on dark paper, as PNG, each whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from model.files import atomic_write
from train.fit_log import FitLog

_BARS = 40
_SIZE_INCHES, _DOTS_PER_INCH = (5.4, 3.6), 160


class Theme(NamedTuple):
    """Colours of a picture: paper, text, faint lines and bars, the network, and up to three others beside it."""

    paper: str
    text: str
    faint: str
    network: str
    others: tuple[str, str, str]


LIGHT = Theme("#ffffff", "#26303b", "#dfe4ea", "#1f6feb", ("#d9730d", "#7a8591", "#2d8a5f"))
DARK = Theme("#161b22", "#d5dbe2", "#343c47", "#6cb0ff", ("#f0a35a", "#98a3ae", "#63c797"))

Draw = Callable[[Axes, Theme], None]


def save_picture(draw: Draw, path: Path, theme: Theme = LIGHT) -> None:
    """Draws on empty axes and writes `path` in one step."""
    matplotlib.use("agg")  # no screen is needed, and none is looked for
    figure = Figure(figsize=_SIZE_INCHES, layout="constrained", facecolor=theme.paper)
    axes = figure.add_subplot(facecolor=theme.paper)
    axes.spines[["top", "right"]].set_visible(False)
    for spine in axes.spines.values():
        spine.set_color(theme.faint)
    draw(axes, theme)
    axes.tick_params(colors=theme.text, length=3, color=theme.faint, labelsize=10)
    for label in (axes.xaxis.label, axes.yaxis.label, axes.title):
        label.set_color(theme.text)
    legend = axes.get_legend()
    for text in legend.get_texts() if legend else ():
        text.set_color(theme.text)
    with atomic_write(path) as partial:
        figure.savefig(partial, dpi=_DOTS_PER_INCH, format="png", facecolor=theme.paper)


def learning_curve(log: FitLog) -> Draw:
    """Error by epoch or sweep: of the training rows (dropout on) and of the watched rows."""

    def draw(axes: Axes, theme: Theme) -> None:
        axes.set(xlabel="epoch or sweep", ylabel="mean squared error")
        epochs = np.arange(1, max(len(log.train_mse), len(log.watched_mse)) + 1)
        style: dict[str, Any] = {"marker": "o", "markersize": 4, "linewidth": 1.8}
        if log.train_mse:
            color = theme.others[1]
            axes.plot(epochs, log.train_mse, label="training rows, dropout on", color=color, **style)
        if log.watched_mse:
            axes.plot(epochs, log.watched_mse, label="inner validation rows", color=theme.network, **style)
            axes.axvline(log.best_epoch, color=theme.others[1], linestyle=":", label=f"best: {log.best_epoch}")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if axes.lines:
            legend_above(axes)

    return draw


def rating_histogram(ratings: np.ndarray) -> Draw:
    """How often each rating was given, (num_ratings,) in rating units."""

    def draw(axes: Axes, theme: Theme) -> None:
        axes.set(xlabel="rating", ylabel="ratings")
        values, counts = np.unique(ratings, return_counts=True)
        if len(values) > _BARS:
            counts, edges = np.histogram(ratings, bins=_BARS)
            values = (edges[1:] + edges[:-1]) / 2
        width = 0.86 * float(np.diff(values).min()) if len(values) > 1 else 0.5
        axes.bar(values, counts, width=width, color=theme.network)
        axes.axvline(float(ratings.mean()), color=theme.others[0], linestyle="--", label=f"mean {ratings.mean():.2f}")
        axes.yaxis.set_major_formatter(lambda count, _: f"{count:,.0f}")
        legend_above(axes)

    return draw


def legend_above(axes: Axes) -> None:
    """One line above the picture, where nothing is drawn."""
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, fontsize=9, columnspacing=1.2)
