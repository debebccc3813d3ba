"""From predictions to the lines of a comparison: pure arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Fit:
    """What one fit predicted of the held-out rows, (B,) in rating units, and the seconds that it took."""

    predicted: np.ndarray
    cpu_s: float
    wall_s: float
    version: str = ""


@dataclass(frozen=True)
class Score:
    """Means over fits; errors in rating units (mse squared). Without a fit (it took too long) all figures are None.

    minus_ours: squared error less this project's, on the same rows; standard_error: of that, paired by row.
    """

    name: str
    fits: int
    version: str = ""
    mse: float | None = None
    rmse: float | None = None
    mae: float | None = None
    minus_ours: float | None = None
    standard_error: float | None = None
    cpu_s: float | None = None
    wall_s: float | None = None


def score(name: str, fits: Sequence[Fit], truth: np.ndarray, ours: np.ndarray) -> Score:
    """The score of some fits on ratings `truth` (B,), beside the squared errors `ours` (B,) of this project."""
    if not fits:
        return Score(name, 0)
    gaps = np.stack([fit.predicted.astype(np.float64) - truth for fit in fits])
    by_fit = np.square(gaps).mean(axis=1)
    difference = np.square(gaps).mean(axis=0) - ours
    return Score(
        name,
        len(fits),
        fits[0].version,
        float(by_fit.mean()),
        float(np.sqrt(by_fit).mean()),
        float(np.abs(gaps).mean()),
        float(difference.mean()),
        float(difference.std(ddof=1)) / len(truth) ** 0.5,
        float(np.mean([fit.cpu_s for fit in fits])),
        float(np.mean([fit.wall_s for fit in fits])),
    )


def table(name: str, trained: int, rows: int, scores: Sequence[Score], limit_s: float) -> str:
    """A Markdown table of one data set; this project's line is the first."""
    lines = [f"**{name}**: {trained:,} training ratings, errors on {rows:,}.", ""]
    lines.append("| | MSE | RMSE | MAE | MSE less this project's | fit, CPU s | fit, wall s |")
    lines.append("|---|--:|--:|--:|--:|--:|--:|")
    for one in scores:
        if one.mse is None:
            lines.append(f"| {one.name} | not within {limit_s:.0f} s | | | | | |")
            continue
        gap = f"{one.minus_ours:+.4f} ± {one.standard_error:.4f}" if one is not scores[0] else ""
        errors = " | ".join(f"{value:.4f}" for value in (one.mse, one.rmse, one.mae))
        lines.append(f"| {one.name} | {errors} | {gap} | {one.cpu_s:.1f} | {one.wall_s:.1f} |")
    return "\n".join(lines)
