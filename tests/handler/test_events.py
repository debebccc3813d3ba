"""Requests with `events`: the movies that a user chose without rating them change lists and explanations."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from model.artifact import Artifact
from tests.handler.conftest import HTTP, Worker, schema

Make = Callable[..., Worker]
RATINGS = [{"movie_id": 3, "rating": 9}]
TEN = {"top_k": 10}


@pytest.mark.parametrize(
    "body",
    [
        {"events": [3], **TEN},
        {"events": [], **TEN},
        {"events": [3, 3, 99], **TEN, "ids_as_strings": True},
        {"events": ["10102"], **TEN, "user_id": 7},
        {"events": [10_102], "ratings": RATINGS, "movie_id": 10_253},
        {"events": [10_102], "ratings": None, "movie_ids": [10_253], "user_id": 1},
        {"instances": [{"events": [3], "top_k": 1}, {"ratings": RATINGS, "top_k": 1}]},
    ],
)
def test_every_ask_about_a_user_takes_events_and_fits_the_schema(served: Worker, body: Any) -> None:
    [(status, answer)] = served.ask(body)
    assert status == 200
    schema(served, "request").validate(body)
    schema(served, "answer").validate(answer)
    assert "error" not in str(answer)


def test_list_of_a_new_user_by_events_is_not_the_most_popular(served: Worker) -> None:
    [(_, popular), (_, answer)] = served.ask({**TEN, "user_id": 1}, {**TEN, "events": [3]})
    assert popular["unknown"] == ["user_id"]
    assert "unknown" not in answer
    assert "user_id" not in answer
    ids = [item["movie_id"] for item in answer["recommendations"]]
    assert 3 not in ids
    assert ids != [item["movie_id"] for item in popular["recommendations"] if item["movie_id"] != 3]


def test_seen_movies_are_those_with_events_too(served: Worker) -> None:
    [(_, without), (_, shown)] = served.ask(
        {**TEN, "events": [3, 77_777]}, {**TEN, "events": [3, 77_777], "exclude_seen": False}
    )
    assert {3, 77_777}.isdisjoint(item["movie_id"] for item in without["recommendations"])
    assert {3, 77_777} <= {item["movie_id"] for item in shown["recommendations"]}


def test_events_do_not_change_a_rating(served: Worker) -> None:
    pair = {"user_id": 7, "movie_id": 10_102}
    [(_, plain), (_, answer)] = served.ask(pair, {**pair, "events": [3, 10_253]})
    assert plain == answer


def test_event_of_a_rated_movie_does_not_count(served: Worker) -> None:
    rated = {"ratings": RATINGS, **TEN}
    [(_, plain), (_, answer)] = served.ask(rated, {**rated, "events": [3]})
    assert plain == answer


def test_explanation_names_events_without_a_rating_and_adds_up(served: Worker) -> None:
    body = {"user_id": 11_242, "movie_id": 10_253, "events": [10_102]}
    [(status, answer)] = served.rows({"body": json.dumps(body).encode()}, headers=HTTP | {"explain": "True"})
    assert status == 200
    schema(served, "answer").validate(answer)
    told = answer["recommended"]
    by_id = {one["movie_id"]: one for one in told["because"]}
    assert set(by_id) == {3, 77_777, 10_102}
    assert "rating" not in by_id[10_102]
    assert "rating" in by_id[3]
    assert sum(one["share"] for one in told["because"]) + told["others"] == pytest.approx(
        told["parts"]["history"], abs=1e-5
    )
    assert sum(told["parts"].values()) == pytest.approx(told["score"], abs=1e-5)
    assert {one["movie_id"] for one in answer["because"]} == {3, 77_777}


def test_unknown_movies_among_the_events_are_flagged_or_rejected(worker: Make, ranked_artifact: Artifact) -> None:
    body = {"events": [3, 99], **TEN}
    [(_, answer)] = worker(ranked_artifact).ask(body)
    assert answer["unknown"] == ["events[1]"]
    [(status, error)] = worker(ranked_artifact, unknown="error").ask(body)
    assert (status, error["message"]) == (404, "events[1] 99: not in the training data")


@pytest.mark.parametrize(
    ("events", "message"),
    [
        (3, "events: expected an array, got 3"),
        (["x"], 'events[0]: expected an integer, got "x"'),
        ([{"movie_id": 3}], "events[0]: expected an integer, got an object"),
        ([None], "events[0]: expected an integer, got null"),
    ],
)
def test_error_says_which_event_is_wrong(served: Worker, events: Any, message: str) -> None:
    [(status, error)] = served.ask({"events": events, **TEN})
    assert status == 400
    assert error["message"].startswith(message)
    assert not schema(served, "request").is_valid({"events": events, **TEN})


def test_too_many_events_get_413(worker: Make, ranked_artifact: Artifact) -> None:
    assert worker(ranked_artifact, max_ratings=1).ask({"events": [3, 7], **TEN})[0][0] == 413


def test_model_without_an_interest_part_refuses_events(worker: Make, artifact: Artifact) -> None:
    served = worker(artifact)
    [(status, error)] = served.ask({"events": [3], **TEN})
    assert (status, error["message"]) == (
        400,
        "events: this model has no interest part, and events change nothing else",
    )
    assert not schema(served, "request").is_valid({"events": [3], **TEN})


def test_network_without_an_encoder_takes_events(worker: Make, artifact: Artifact, ranked_artifact: Artifact) -> None:
    served = worker(replace(ranked_artifact, network=artifact.network))
    body = {"events": [3], **TEN}
    [(status, _)] = served.ask(body)
    assert status == 200
    schema(served, "request").validate(body)
    assert not schema(served, "request").is_valid({"ratings": RATINGS, **TEN})


@pytest.mark.parametrize("body", [{"user_id": 7, "movie_id": 3, "event": [3]}, {"user_id": 7, "event": [3], **TEN}])
def test_error_of_a_misspelt_field_names_ratings_and_events(served: Worker, body: Any) -> None:
    [(status, error)] = served.ask(body)
    assert status == 400
    assert {"events", "ratings", "user_id"} <= set(error["message"].partition("allowed: ")[2].split(", "))
