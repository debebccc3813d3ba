"""Which differences between two answers are reported."""

import re
from typing import Any

import pytest

from ops.versions.compare import find_difference


def best(*items: tuple[int, float], rating: float = 6.0) -> dict[str, Any]:
    found = [{"movie_id": movie, "rating": rating, "score": score} for movie, score in items]
    return {"user_id": 7, "recommendations": found}


BEST = best((3, 9.0), (4, 8.0))


@pytest.mark.parametrize(
    ("served", "expected"),
    [
        ({"user_id": 7, "movie_id": 3, "rating": 8.00001}, {"user_id": 7, "movie_id": 3, "rating": 8.0}),
        ({"rating": 8.0, "title": "told by newer code"}, {"rating": 8.0}),
        ({"rating": 8.0}, {"rating": 8.0, "title": "not told by older code"}),
        (best((4, 9.000001), (3, 9.0)), best((3, 9.0), (4, 9.0))),  # a tie, in the other order
        (best((5, 9.0), (6, 8.0)), best((5, 9.0), (7, 8.0))),  # a tie across the end
        ({"outputs": [{"data": [1.0, 2.0]}]}, {"outputs": [{"data": [1.0, 2.0]}], "model_version": "1.0"}),
    ],
)
def test_equivalent_answers_have_no_difference(served: Any, expected: Any) -> None:
    assert find_difference(served, expected, "movie_id") is None


@pytest.mark.parametrize(
    ("served", "expected", "says"),
    [
        ({"rating": 8.1}, {"rating": 8.0}, "rating: served 8.1, expected 8.0"),
        ({}, {"rating": 8.0}, "rating: served None"),
        ({"rating": 8.0, "unknown": ["user_id"]}, {"rating": 8.0}, r"unknown: served \['user_id'\]"),
        ({"outputs": [{"data": [1.0]}]}, {"outputs": [{"data": [1.0, 2.0]}]}, r"outputs\[0\].data: served"),
        ({"outputs": [{"data": [1.0, 3.0]}]}, {"outputs": [{"data": [1.0, 2.0]}]}, r"outputs\[0\].data\[1\]: served 3"),
        (best((4, 9.0), (3, 8.0)), BEST, r"recommendations\[0\].movie_id: served 4, expected 3"),
        (best((3, 9.0)), BEST, "recommendations: served"),
        (best((3, 9.0), (4, 8.0), rating=6.1), BEST, r"recommendations\[0\].rating: served 6.1, expected 6.0"),
    ],
)
def test_first_difference_is_named(served: Any, expected: Any, says: str) -> None:
    difference = find_difference(served, expected, "movie_id")
    assert difference is not None
    assert re.match(says, difference), difference
