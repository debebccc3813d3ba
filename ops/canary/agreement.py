"""Compares the answers of two versions to the same requests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Agreement:
    """Figures over the `requests` that both versions answered; None if no answer had the field."""

    requests: int
    identical: float | None
    """Share of the requests whose answers are equal in every field."""
    mean_rating_difference: float | None
    """Absolute difference, in rating units, over all ratings that both gave to the same pair or recommended movie."""
    max_rating_difference: float | None
    top_k_overlap: float | None
    """Mean share of recommended movies that both recommend."""


def agreement(answers: Sequence[tuple[Any, Any]], item_ids: tuple[str, str]) -> Agreement:
    """Compares parsed answers: for each request, one answer of each version.

    item_ids: the field with a movie's id in the answers of each version.
    """
    own, other_id = item_ids
    differences: list[float] = []
    overlaps: list[float] = []
    for one, other in answers:
        mine, theirs = dict(_ratings(one, own)), dict(_ratings(other, other_id))
        differences += [abs(mine[key] - theirs[key]) for key in mine.keys() & theirs.keys()]
        lists, others = dict(_recommended(one, own)), dict(_recommended(other, other_id))
        for key in lists.keys() & others.keys():
            longest = max(len(lists[key]), len(others[key]))
            overlaps += [len(lists[key] & others[key]) / longest] if longest else []
    return Agreement(
        len(answers),
        _mean([one == other for one, other in answers]),
        _mean(differences),
        max(differences, default=None),
        _mean(overlaps),
    )


def _ratings(answer: Any, item_id: str, where: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], float]]:
    """Every rating with its place in the answer; a recommended movie's rating has the movie as its place."""
    if isinstance(answer, dict):
        if isinstance(answer.get("rating"), float):
            yield where, answer["rating"]
        for name in ("recommendations", "predictions", "outputs", "data"):
            yield from _ratings(answer.get(name), item_id, (*where, name))
    elif isinstance(answer, list):
        for place, item in enumerate(answer):
            if isinstance(item, float):
                yield (*where, place), item
            else:
                ranked = where[-1:] == ("recommendations",) and isinstance(item, dict)
                yield from _ratings(item, item_id, (*where, item.get(item_id) if ranked else place))


def _recommended(
    answer: Any, item_id: str, where: tuple[Any, ...] = ()
) -> Iterator[tuple[tuple[Any, ...], frozenset[Any]]]:
    """The movies of every list of recommendations, by the place of the list in the answer."""
    if isinstance(answer, dict):
        if isinstance(answer.get("recommendations"), list):
            yield where, frozenset(one[item_id] for one in answer["recommendations"])
        yield from _recommended(answer.get("predictions"), item_id, where)
    elif isinstance(answer, list):
        for place, item in enumerate(answer):
            yield from _recommended(item, item_id, (*where, place))


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
