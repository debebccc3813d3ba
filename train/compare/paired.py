"""The difference between two models on the same rows, with a confidence interval that is clustered by user."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_SURE = 1.96  # standard errors: 95 % of a normal distribution


@dataclass(frozen=True)
class Paired:
    """A figure of both versions over the same rows, and their difference, `version` minus `other`.

    low, high: the 95 % confidence interval of the difference.
    """

    rows: int
    users: int
    version: float
    other: float
    difference: float
    low: float
    high: float


def paired(version: np.ndarray, other: np.ndarray, user: np.ndarray) -> Paired:
    """Compares the means of two figures (N,) over the same rows; `user` (N,) is the user of each row.

    The standard error is cluster-robust (Liang and Zeger 1986): the rows of one user form one cluster.
    """
    difference = version - other
    mean = float(difference.mean())
    _, owner = np.unique(user, return_inverse=True)
    sums = np.bincount(owner, difference - mean)
    users = len(sums)
    error = float(np.sqrt(np.square(sums).sum() * users / max(1, users - 1))) / len(difference)
    bounds = mean - _SURE * error, mean + _SURE * error
    return Paired(len(difference), users, float(version.mean()), float(other.mean()), mean, *bounds)
