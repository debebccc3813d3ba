"""Pictures of the ratings that a version learned from, as numbers: the page draws them."""

from __future__ import annotations

from typing import Any

import numpy as np

from model.history import History
from model.vocabulary import MOVIES

_MOST_BARS = 20

Bars = list[dict[str, Any]]


def rating_pictures(history: History, num_movies: int, item: str = MOVIES.item) -> dict[str, Bars]:
    """How often each rating was given, and how many users and movies have how many: `at_least`, `at_most`, `count`.

    item: what one is called.
    """
    return {
        "ratings": _of_values(history.ratings),
        "ratings_per_user": _of_counts(np.diff(history.offsets)),
        f"ratings_per_{item}": _of_counts(np.bincount(history.movie_index, minlength=num_movies)),
    }


def _of_values(ratings: np.ndarray) -> Bars:
    """A bar for each rating, or where there are too many, for each of as many equal parts of the scale."""
    values, counts = np.unique(ratings, return_counts=True)
    if len(values) <= _MOST_BARS:
        return [_bar(value, value, count) for value, count in zip(values, counts, strict=True)]
    counts, edges = np.histogram(values, _MOST_BARS, weights=counts)
    return [_bar(*bar) for bar in zip(edges[:-1], edges[1:], counts, strict=True)]


def _of_counts(counts: np.ndarray) -> Bars:
    """A bar for 0, 1, 2 to 3, 4 to 7 and so on."""
    doubled = np.ceil(np.log2(counts + 1)).astype(np.int64)
    return [
        _bar((1 << power) >> 1, max((1 << power) - 1, 0), number)
        for power, number in enumerate(np.bincount(doubled))
        if number
    ]


def _bar(at_least: float, at_most: float, count: float) -> dict[str, Any]:
    return {"at_least": round(float(at_least), 4), "at_most": round(float(at_most), 4), "count": int(count)}
