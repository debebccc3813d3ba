"""Intervals by the bootstrap: what a mean would be of other users like these (Efron and Tibshirani 1993)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

DRAWS = 1_000
_COVERED = (0.025, 0.975)


@dataclass(frozen=True)
class Interval:
    """A mean and the bounds that hold it in 95 of 100 draws of users."""

    mean: float
    low: float
    high: float


class Bootstrap:
    """Draws of as many users as there are, with replacement; the same draws for every mean, so differences are paired.

    Args:
        num_users: U.
        seed: of the draws.
    """

    def __init__(self, num_users: int, seed: int = 0) -> None:
        random = np.random.default_rng(seed)
        drawn = random.integers(0, num_users, (DRAWS, num_users))
        drawn += num_users * np.arange(DRAWS)[:, None]
        times = np.bincount(drawn.ravel(), minlength=DRAWS * num_users)
        self._weight = times.reshape(DRAWS, num_users) / num_users

    def intervals(self, values: Mapping[str, np.ndarray]) -> dict[str, Interval]:
        """Of the means of values (U,), one for each user, by name."""
        means = self._weight @ np.stack(list(values.values()), axis=1)
        low, high = np.quantile(means, _COVERED, axis=0)
        return {
            name: Interval(float(one.mean()), float(low[place]), float(high[place]))
            for place, (name, one) in enumerate(values.items())
        }
