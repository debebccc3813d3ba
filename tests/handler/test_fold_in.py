"""Requests with `ratings`: a user is folded in from them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from model.artifact import Artifact
from model.asks import FoldInAnswer, FoldInAsk, PairAnswer, PairAsk
from model.predictor import Predictor
from tests.handler.conftest import Worker, schema

Make = Callable[..., Worker]
RATINGS = [{"movie_id": 3, "rating": 9}, {"movie_id": 10_102, "rating": 2.5}]
FOLD_IN = {"ratings": RATINGS, "movie_id": 10_253}


@pytest.mark.parametrize(
    "body",
    [
        FOLD_IN,
        {**FOLD_IN, "user_id": 11_242},
        {**FOLD_IN, "user_id": 1},
        {"ratings": RATINGS, "top_k": 2},
        {"ratings": [], "top_k": 2},
        {"ratings": RATINGS, "movie_ids": [3, 10_007], "user_id": 7},
        {"ratings": [{"movie_id": 99, "rating": 1}, *RATINGS], "movie_id": 98},
        {"instances": [FOLD_IN, {"user_id": 7, "movie_id": 3}, {"ratings": RATINGS, "top_k": 1}]},
    ],
)
def test_every_ask_about_a_user_takes_ratings_and_fits_the_schema(served: Worker, body: Any) -> None:
    [(status, answer)] = served.ask(body)
    assert status == 200
    schema(served, "request").validate(body)
    schema(served, "answer").validate(answer)
    assert "error" not in str(answer)


def test_fold_in_user_without_an_id_gets_an_answer_without_user_id(served: Worker, ranked_artifact: Artifact) -> None:
    [(_, answer)] = served.ask(FOLD_IN)
    [expected] = Predictor(ranked_artifact).answer([FoldInAsk(PairAsk(None, 10_253), [3, 10_102], [9, 2.5])])
    assert isinstance(expected, FoldInAnswer)
    assert isinstance(expected.answer, PairAnswer)
    assert answer == {"movie_id": 10_253, "rating": pytest.approx(expected.answer.rating, abs=1e-5)}


def test_unknown_movies_among_the_ratings_are_flagged_or_rejected(worker: Make, ranked_artifact: Artifact) -> None:
    body = {"ratings": [*RATINGS, {"movie_id": 99, "rating": 1}], "movie_id": 98}
    [(_, answer)] = worker(ranked_artifact).ask(body)
    assert answer["unknown"] == ["movie_id", "ratings[2].movie_id"]
    body["movie_id"] = 3
    [(status, error)] = worker(ranked_artifact, unknown="error").ask(body)
    assert (status, error["message"]) == (404, "ratings[2].movie_id 99: not in the training data")


def test_movies_of_sent_ratings_are_not_recommended(served: Worker) -> None:
    [(_, answer)] = served.ask({"ratings": RATINGS, "top_k": 10})
    assert {item["movie_id"] for item in answer["recommendations"]} & {3, 10_102} == set()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ratings": 3}, "ratings: expected an array, got 3"),
        ({"ratings": [3]}, "ratings[0]: expected an object, got 3"),
        ({"ratings": [{"movie_id": 3}]}, "ratings[0].rating: missing"),
        ({"ratings": [{"movie_id": "x", "rating": 1}]}, 'ratings[0].movie_id: expected an integer, got "x"'),
        ({"ratings": [{"movie_id": 3, "rating": None}]}, "ratings[0].rating: missing or null"),
        ({"ratings": [{"movie_id": 3, "rating": 11}]}, "ratings[0].rating: expected a number from 1 to 10, got 11"),
        ({"ratings": [{"movie_id": 3, "rating": True}]}, "ratings[0].rating: expected a number from 1 to 10, got true"),
        ({"ratings": [{"movie_id": 3, "rating": 1, "x": 1}]}, 'ratings[0]."x": no such field here'),
        ({"user_id": [None]}, "user_id: expected an integer, got an array"),
        ({"movie_id": "x"}, 'movie_id: expected an integer, got "x"'),
        ({"stars": 1}, '"stars": no such field here'),
    ],
)
def test_error_says_which_rating_is_wrong(served: Worker, change: dict[str, Any], message: str) -> None:
    [(status, error)] = served.ask({**FOLD_IN, **change})
    assert status == 400
    assert error["message"].startswith(message)
    assert not schema(served, "request").is_valid({**FOLD_IN, **change})


def test_too_many_ratings_get_413(worker: Make, ranked_artifact: Artifact) -> None:
    assert worker(ranked_artifact, max_ratings=1).ask(FOLD_IN)[0][0] == 413


def test_network_without_an_encoder_rejects_ratings(worker: Make) -> None:
    [(status, error)] = worker().ask(FOLD_IN)
    assert status == 400
    assert error["message"].startswith("ratings: this model's network takes no new ratings")


def test_batch_too_long_to_send_loses_only_its_longest_answers(worker: Make) -> None:
    short, long = {"user_id": 7, "movie_id": 3}, {"instances": [{"user_id": 7, "movie_id": 3}] * 50}
    statuses = [status for status, _ in worker(max_batch_bytes=3000).ask(short, long, short, long)]
    assert sorted(statuses) == [200, 200, 200, 503]
    assert statuses[0] == statuses[2] == 200


def test_last_rating_of_a_movie_counts(served: Worker) -> None:
    twice = [{"movie_id": 3, "rating": 1}, *RATINGS]
    assert np.isclose(served.ask({**FOLD_IN, "ratings": twice})[0][1]["rating"], served.ask(FOLD_IN)[0][1]["rating"])
