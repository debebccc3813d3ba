"""Scores of rankings, compared with this project's scores for the same users, and their tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.markdown import table
from train.evaluation.bootstrap import Bootstrap, Interval

METRICS = ("ndcg@10", "recall@10", "hit_rate@10", "coverage@10")


@dataclass(frozen=True)
class Score:
    """A ranking's metrics, as means over its fits; empty if no fit ended in time.

    ours_minus_this: the difference in nDCG@10, paired by user; None for this project's ranking, and without metrics.
    """

    name: str
    fits: int
    metrics: dict[str, float]
    ours_minus_this: Interval | None
    settings: str = ""
    version: str = ""
    fit_s: float | None = None


def mean_of_fits(fits: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The mean of each metric over several fits: for each user (U,), or for all users ()."""
    return {name: np.mean([fit[name] for fit in fits], axis=0) for name in METRICS}


def less(ours: np.ndarray, this: np.ndarray) -> Interval:
    """The mean of our nDCG minus this one's, both (U,), with its 95 % confidence interval."""
    return Bootstrap(len(ours)).intervals({"difference": ours - this})["difference"]


def score_table(name: str, users: int, scores: Sequence[Score]) -> str:
    """The table of one data set; the first score is ours."""
    rows = [
        (
            one.name,
            *(f"{one.metrics[metric]:.4f}" if one.metrics else " " for metric in METRICS),
            _words(one.ours_minus_this),
            one.settings or " ",
            " " if one.fit_s is None else f"{one.fit_s:.1f}",
        )
        for one in scores
    ]
    header = (name, *METRICS, "nDCG@10: ours less this", "chosen on inner rows", "fit, CPU s")
    return f"{users:,} users.\n\n{table(header, 1, rows)}"


def new_users_table(name: str, ndcg: Mapping[str, np.ndarray]) -> str:
    """The table of new users; the first ranking is ours."""
    ours = next(iter(ndcg))
    rows = [
        (words(one), f"{values.mean():.4f}", _words(less(ndcg[ours], values) if one != ours else None))
        for one, values in ndcg.items()
    ]
    header = (f"{name}, new users by 3 ratings ({len(ndcg[ours]):,})", "nDCG@10", "ours less this")
    return table(header, 1, rows)


def words(ranking: str) -> str:
    """The name of a ranking in the tables."""
    titles = {"blend": "**NCF Serve, blend**", "interest": "NCF Serve, interest", "rating": "NCF Serve, rating"}
    return {**titles, "ease": "EASE^R", "most_popular": "most popular"}[ranking]


def _words(difference: Interval | None) -> str:
    if difference is None:
        return " "
    return f"{difference.mean:+.4f} ({difference.low:+.4f} to {difference.high:+.4f})"
