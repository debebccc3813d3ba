"""What sorts recommendations: `rank_by` and `novelty`, with an interest part and without one."""

from collections.abc import Callable

import pytest

from model.artifact import Artifact
from tests.handler.conftest import Worker

Make = Callable[..., Worker]


def listed(worker: Worker, **fields: object) -> list[dict[str, float]]:
    [(status, answer)] = worker.ask({"user_id": 11_242, "exclude_seen": False, **fields})
    assert status == 200, answer
    recommendations: list[dict[str, float]] = answer["recommendations"]
    return recommendations


def test_whole_catalogue_is_ranked_by_the_blend_and_named_movies_by_rating(
    worker: Make, ranked_artifact: Artifact
) -> None:
    served = worker(ranked_artifact)
    whole = listed(served, top_k=6)
    assert whole == listed(served, top_k=6, rank_by="blend") != listed(served, top_k=6, rank_by="rating")
    named = [item["movie_id"] for item in whole]
    assert listed(served, movie_ids=named) == listed(served, movie_ids=named, rank_by="rating")
    assert listed(served, movie_ids=named, rank_by="blend") == whole


@pytest.mark.parametrize("rank_by", ["blend", "interest", "rating"])
def test_lists_are_sorted_by_score(worker: Make, ranked_artifact: Artifact, rank_by: str) -> None:
    found = listed(worker(ranked_artifact), top_k=6, rank_by=rank_by)
    scores = [item["score"] for item in found]
    assert scores == sorted(scores, reverse=True)
    assert (scores == [item["rating"] for item in found]) is (rank_by == "rating")


def test_model_without_interest_ranks_by_rating(worker: Make, artifact: Artifact) -> None:
    served = worker(artifact)
    assert listed(served, top_k=6) == listed(served, top_k=6, rank_by="rating")
    [(status, answer)] = served.ask({"user_id": 7, "top_k": 1, "rank_by": "blend"})
    assert (status, answer["message"]) == (400, 'rank_by: got "blend", allowed: rating')


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("rank_by", "stars", 'rank_by: got "stars", allowed: blend, interest, rating'),
        ("rank_by", 1, "rank_by: got 1, allowed: blend, interest, rating"),
        ("novelty", 1.5, "novelty: expected a number from 0 to 1, got 1.5"),
        ("novelty", True, "novelty: expected a number from 0 to 1, got true"),
    ],
)
def test_wrong_values_are_named(
    worker: Make, ranked_artifact: Artifact, field: str, value: object, message: str
) -> None:
    [(status, answer)] = worker(ranked_artifact).ask({"user_id": 7, "top_k": 1, field: value})
    assert (status, answer["message"]) == (400, message)
