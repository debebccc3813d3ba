"""The agreement of two versions, measured on answers whose agreement is known."""

from typing import Any

import pytest

from ops.canary.agreement import Agreement, agreement

BOTH = ("movie_id", "movie_id")


def best(**ratings: float) -> dict[str, Any]:
    return {"user_id": 7, "recommendations": [{"movie_id": name, "rating": value} for name, value in ratings.items()]}


def test_ratings_of_the_same_pair_or_the_same_recommended_movie_are_compared() -> None:
    found = agreement(
        [
            ({"user_id": 1, "movie_id": 2, "rating": 8.0}, {"user_id": 1, "movie_id": 2, "rating": 8.0}),
            ({"rating": 8.0}, {"rating": 7.0}),
            (best(a=9.0, b=8.0), best(b=8.5, c=8.0)),
            (
                {"outputs": [{"name": "rating", "data": [1.0, 2.0]}]},
                {"outputs": [{"name": "rating", "data": [1.0, 4.0]}]},
            ),
        ],
        BOTH,
    )
    assert found.requests == 4
    assert found.identical == 0.25
    assert found.mean_rating_difference == pytest.approx((0 + 1 + 0.5 + 0 + 2) / 5)
    assert found.max_rating_difference == 2
    assert found.top_k_overlap == 0.5


def test_instances_are_compared_one_by_one_and_errors_by_equality() -> None:
    error = {"code": 400, "type": "InvalidRequest", "message": "body: empty"}
    one = {"predictions": [{"rating": 3.0}, {"error": error}, best(a=2.0)]}
    other = {"predictions": [{"rating": 4.0}, {"error": error}, best(a=2.0)]}
    assert agreement([(one, other), (error, error)], BOTH) == Agreement(2, 0.5, 0.5, 1.0, 1.0)


def test_measures_without_answers_are_none() -> None:
    assert agreement([], BOTH) == Agreement(0, None, None, None, None)
    assert agreement([(None, {"rating": 1.0})], BOTH) == Agreement(1, 0.0, None, None, None)


def test_versions_with_different_item_words_are_compared() -> None:
    other = {"user_id": 7, "recommendations": [{"product_id": "a", "rating": 8.0}, {"product_id": "b", "rating": 8.0}]}
    found = agreement([(best(a=9.0, c=7.0), other)], ("movie_id", "product_id"))
    assert (found.mean_rating_difference, found.top_k_overlap) == (1.0, 0.5)
