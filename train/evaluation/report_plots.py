"""The report's own pictures, of what train/evaluation/diagnosis.py works out."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from model.vocabulary import plural
from train.evaluation.diagnosis import CountBin, Reliability, log_counts
from train.evaluation.plots import Draw, Theme, legend_above

_MOST_LABEL_LETTERS = 28


def predicted_against_true(values: np.ndarray, level: np.ndarray, predicted: np.ndarray) -> Draw:
    """Of each true rating (values (L,), level (N,)) the predictions' spread: 5 to 95 %, the middle half, the median."""

    def draw(axes: Axes, theme: Theme) -> None:
        axes.set(xlabel="true rating", ylabel="predicted rating")
        axes.plot(values[[0, -1]], values[[0, -1]], color=theme.others[1], linestyle=":", label="exact")
        present = [place for place in range(len(values)) if (level == place).any()]
        quantiles = np.array(
            [np.quantile(predicted[level == place], [0.05, 0.25, 0.5, 0.75, 0.95]) for place in present]
        )
        low, lower, middle, upper, high = quantiles.T
        at = values[present]
        axes.vlines(at, low, high, color=theme.network, linewidth=1.4, label="5 to 95 %")
        axes.vlines(at, lower, upper, color=theme.network, linewidth=7, alpha=0.45, label="middle half")
        axes.plot(at, middle, "o", color=theme.network, markersize=5, label="median")
        legend_above(axes)

    return draw


def error_by_count(bins: list[CountBin], xlabel: str) -> Draw:
    """Mean squared error by number of training ratings, with one standard error, over bars of how many rows."""

    def draw(axes: Axes, theme: Theme) -> None:
        axes.set(xlabel=xlabel, ylabel="mean squared error")
        at = np.arange(len(bins))
        rows = axes.twinx()
        rows.set_facecolor(theme.paper)
        rows.bar(at, [one.rows for one in bins], color=theme.faint, width=0.8, label="rows (right)")
        rows.tick_params(colors=theme.others[1], length=0, labelsize=8)
        rows.yaxis.set_major_formatter(lambda count, _: f"{count:,.0f}")
        rows.spines[:].set_visible(False)
        axes.set_zorder(rows.get_zorder() + 1)
        axes.patch.set_visible(False)
        colors = (theme.network, theme.others[0], theme.others[2])
        for place, (name, color) in enumerate(zip(bins[0].errors if bins else (), colors, strict=False)):
            errors = np.array([one.errors[name] for one in bins])
            shift = (place - 1) * 0.08
            label = name.replace("_", " ")
            axes.errorbar(at + shift, errors[:, 0], errors[:, 1], color=color, marker="o", markersize=4, label=label)
        _name_places(axes, [one.label for one in bins])
        legend_above(axes)

    return draw


def calibration(bins: Reliability, xlabel: str, ylabel: str) -> Draw:
    """What happened against what was said, with two standard errors, and the diagonal that it should lie on."""

    def draw(axes: Axes, theme: Theme) -> None:
        axes.set(xlabel=xlabel, ylabel=ylabel)
        ends = [min(bins.said.min(), bins.happened.min()), max(bins.said.max(), bins.happened.max())]
        axes.plot(ends, ends, color=theme.others[1], linestyle=":", label="perfect")
        axes.errorbar(
            bins.said,
            bins.happened,
            2 * bins.standard_error,
            color=theme.network,
            marker="o",
            markersize=5,
            label="network",
        )
        legend_above(axes)

    return draw


def level_shares(values: np.ndarray, said: np.ndarray, happened: np.ndarray) -> Draw:
    """Of each rating level (values (L,)) its mean predicted probability beside how often it was given, both (L,)."""

    def draw(axes: Axes, theme: Theme) -> None:
        axes.set(xlabel="rating", ylabel="share of held-out rows")
        at = np.arange(len(values))
        axes.bar(at - 0.21, happened, width=0.4, color=theme.others[1], label="given")
        axes.bar(at + 0.21, said, width=0.4, color=theme.network, label="predicted")
        _name_places(axes, [f"{value:.4g}" for value in values])
        axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
        legend_above(axes)

    return draw


def ratings_each(counts: np.ndarray, each: str) -> Draw:
    """How many users (or items) have how many ratings; counts (N,)."""

    def draw(axes: Axes, theme: Theme) -> None:
        labels, numbers = log_counts(counts)
        axes.set(xlabel=f"ratings of a {each}", ylabel=plural(each))
        axes.bar(np.arange(len(numbers)), numbers, color=theme.network, width=0.86)
        _name_places(axes, labels)
        axes.yaxis.set_major_formatter(lambda count, _: f"{count:,.0f}")

    return draw


def _name_places(axes: Axes, labels: list[str]) -> None:
    """Labels at 0, 1, ..., aslant where they would touch."""
    crowded = sum(map(len, labels)) > _MOST_LABEL_LETTERS
    axes.set_xticks(np.arange(len(labels)), labels, rotation=35 if crowded else 0)
