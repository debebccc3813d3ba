"""Where a network errs, and whether its probabilities can be believed: arithmetic on held-out rows, no pictures."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

_COUNT_EDGES = (0, 1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
_MOST_LEVELS = 16


class CountBin(NamedTuple):
    """Held-out rows whose user (or movie) has `label` training ratings: their number, and by predictor the error.

    errors: mean squared error in rating units squared, and its standard error.
    """

    label: str
    rows: int
    errors: dict[str, tuple[float, float]]


def errors_by_count(
    counts: np.ndarray, truth: np.ndarray, predictions: dict[str, np.ndarray], fewest: int = 30
) -> list[CountBin]:
    """Errors by number of training ratings, counts (N,); a bin of fewer than `fewest` rows is joined with the next."""
    bins, lowest = [], 0
    edges = [*_COUNT_EDGES, int(max(counts.max(initial=0) + 1, _COUNT_EDGES[-1] + 1))]
    for edge in edges[1:]:
        mask = (counts >= lowest) & (counts < edge)
        last = not (counts >= edge).any()
        if mask.sum() < fewest and not (last and mask.any()):
            continue
        highest = edge - 1 if not last else int(counts.max())
        label = f"{lowest:,}" if highest <= lowest else f"{lowest:,}–{highest:,}"
        squared = {name: np.square(predicted[mask] - truth[mask]) for name, predicted in predictions.items()}
        errors = {name: (float(s.mean()), float(s.std()) / len(s) ** 0.5) for name, s in squared.items()}
        bins.append(CountBin(label, int(mask.sum()), errors))
        lowest = edge
        if last:
            break
    return bins


class Reliability(NamedTuple):
    """Bins of forecasts, (K,) each: what was said, what happened, the latter's standard error, and how many rows."""

    said: np.ndarray
    happened: np.ndarray
    standard_error: np.ndarray
    rows: np.ndarray

    @property
    def gap(self) -> float:
        """The mean absolute difference of what was said and what happened, by rows."""
        return float(np.average(np.abs(self.said - self.happened), weights=self.rows))


def reliability(said: np.ndarray, happened: np.ndarray, bins: int = 12) -> Reliability:
    """Forecasts `said` (N,), probabilities or expectations, against what happened (N,), in bins of equal size."""
    order = np.argsort(said, kind="stable")
    parts = [part for part in np.array_split(order, min(bins, max(1, len(order)))) if len(part)]
    columns = [
        (said[part].mean(), happened[part].mean(), happened[part].std() / len(part) ** 0.5, len(part)) for part in parts
    ]
    return Reliability(*(np.array(column, dtype=np.float64) for column in zip(*columns, strict=True)))


def level_reliability(probability: np.ndarray, level: np.ndarray, bins: int = 12) -> Reliability:
    """Of every row and level: probability (N, L) against whether `level` (N,) was that one."""
    happened = np.arange(probability.shape[1]) == level[:, None]
    return reliability(probability.astype(np.float64).ravel(), happened.astype(np.float64).ravel(), bins)


def truth_levels(truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The ratings' distinct values, or bins of equal width where there are many: values (L,) and levels (N,)."""
    values, level = np.unique(truth, return_inverse=True)
    if len(values) <= _MOST_LEVELS:
        return values, level
    edges = np.linspace(truth.min(), truth.max(), _MOST_LEVELS + 1)
    return (edges[1:] + edges[:-1]) / 2, np.clip(np.searchsorted(edges, truth, "right") - 1, 0, _MOST_LEVELS - 1)


def log_counts(counts: np.ndarray) -> tuple[list[str], np.ndarray]:
    """How many users (or movies) have 1, 2-3, 4-7, ... ratings, counts (N,): labels and numbers, from the first bin."""
    doubling = np.log2(counts[counts > 0]).astype(np.int64)
    if not len(doubling):
        return [], doubling
    first = int(doubling.min())
    numbers = np.bincount(doubling - first)
    ranges = ((2**power, 2 ** (power + 1) - 1) for power in range(first, first + len(numbers)))
    return ["1" if low == high else f"{low:,}–{high:,}" for low, high in ranges], numbers
