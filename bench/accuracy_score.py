"""The scores of predictions, and the table that compares them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.markdown import Cells, table


@dataclass(frozen=True)
class Fit:
    """What one fit predicted for the held-out rows, (B,) in rating units, and the seconds that the fit took."""

    predicted: np.ndarray
    cpu_s: float
    wall_s: float
    version: str = ""


@dataclass(frozen=True)
class Score:
    """Means over fits, with errors in rating units (mse squared). All figures are None if no fit ended in time.

    minus_ours: the squared error less this project's, on the same rows.
    standard_error: the standard error of minus_ours, paired by row.
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
    """The score of some fits on the ratings `truth` (B,); `ours` (B,) are this project's squared errors."""
    if not fits:
        return Score(name, 0)
    gaps = np.stack([fit.predicted.astype(np.float64) - truth for fit in fits])
    by_fit = np.square(gaps).mean(axis=1)
    difference = np.square(gaps).mean(axis=0) - ours
    return Score(
        name,
        fits=len(fits),
        version=fits[0].version,
        mse=float(by_fit.mean()),
        rmse=float(np.sqrt(by_fit).mean()),
        mae=float(np.abs(gaps).mean()),
        minus_ours=float(difference.mean()),
        standard_error=float(difference.std(ddof=1)) / len(truth) ** 0.5,
        cpu_s=float(np.mean([fit.cpu_s for fit in fits])),
        wall_s=float(np.mean([fit.wall_s for fit in fits])),
    )


def report(name: str, trained: int, number: int, scores: Sequence[Score], limit_s: float) -> str:
    """A table of one data set: `trained` training ratings, errors on `number` others. The first score is ours."""
    header = ("", "MSE", "RMSE", "MAE", "MSE less this project's", "fit, CPU s", "fit, wall s")
    rows = [_row(one, limit_s, is_ours=one is scores[0]) for one in scores]
    return f"**{name}**: {trained:,} training ratings, errors on {number:,}.\n\n{table(header, 1, rows)}"


def _row(one: Score, limit_s: float, is_ours: bool) -> Cells:
    if one.mse is None:
        return one.name, f"not within {limit_s:.0f} s", "", "", "", "", ""
    gap = "" if is_ours else f"{one.minus_ours:+.4f} ± {one.standard_error:.4f}"
    errors = (f"{error:.4f}" for error in (one.mse, one.rmse, one.mae))
    return one.name, *errors, gap, f"{one.cpu_s:.1f}", f"{one.wall_s:.1f}"
