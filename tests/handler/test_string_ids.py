"""Ids beyond 2^53, from clients that cannot hold them as numbers, and fields that typed clients send as null."""

from collections.abc import Callable
from typing import Any

import pytest

from model.artifact import Artifact
from tests.conftest import MOVIE_IDS, USER_IDS
from tests.handler.bodies import raw_bytes
from tests.handler.columns import ask, body, raw, tensor
from tests.handler.conftest import Worker
from tests.handler.schemas import Schemas

Make = Callable[..., Worker]
USER, MOVIE = 11_242, 10_253
BIG = 2**53 + 1


@pytest.mark.parametrize(
    "asked",
    [
        {"user_id": USER, "movie_id": MOVIE},
        {"user_id": USER, "movie_ids": [MOVIE, 3]},
        {"user_id": USER, "top_k": 3, "exclude": [MOVIE]},
        {"ratings": [{"movie_id": MOVIE, "rating": 8}], "movie_id": 3},
        {"instances": [{"user_id": USER, "movie_id": MOVIE}, {"user_id": BIG, "movie_id": -3}]},
    ],
)
def test_ids_in_strings_get_the_answer_of_the_integers(worker: Make, ranked_artifact: Artifact, asked: Any) -> None:
    served = worker(ranked_artifact)
    assert served.ask(with_strings(asked)) == served.ask(asked)
    assert served.ask(asked)[0][0] == 200
    assert Schemas(served).request.is_valid(with_strings(asked))


def with_strings(value: Any, inside: str = "") -> Any:
    """A copy whose ids are strings."""
    if isinstance(value, dict):
        return {name: with_strings(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [with_strings(one, inside) for one in value]
    return str(value) if inside in ("user_id", "movie_id", "movie_ids", "exclude") else value


@pytest.mark.parametrize("digits", ["9007199254740993", "-9223372036854775808", "9223372036854775807", "0"])
def test_id_in_a_string_is_answered_exactly(worker: Make, digits: str) -> None:
    [(status, answer)] = worker().ask({"user_id": digits, "movie_id": MOVIE})
    assert (status, answer["user_id"]) == (200, int(digits))


@pytest.mark.parametrize("text", ["", " 7", "7 ", "7\n", "+7", "07", "-0", "7.0", "7e0", "٧", "0x7"])
def test_other_ways_of_writing_an_integer_are_refused(worker: Make, text: str) -> None:
    [(status, error)] = worker().ask({"user_id": text, "movie_id": MOVIE})
    assert (status, error["message"][:33]) == (400, "user_id: expected an integer, got")


def test_answers_have_ids_in_strings_where_asked_for(worker: Make) -> None:
    pair: dict[str, Any] = {"user_id": BIG, "movie_id": MOVIE}
    top = {"user_id": USER, "top_k": 2}
    served = worker()
    schemas = Schemas(served)
    asked = [{**pair, "ids_as_strings": True}, {**top, "ids_as_strings": True}]
    asked.append({"instances": [pair, top, {"user_id": "x", "movie_id": 1}], "ids_as_strings": True})
    answers = [answer for _, answer in served.ask(*asked)]
    assert answers[0]["user_id"] == "9007199254740993"
    assert (answers[0]["movie_id"], answers[0]["unknown"]) == (str(MOVIE), ["user_id"])
    plain = [answer for _, answer in served.ask(pair, top)]
    assert answers[1] == with_strings(plain[1])
    assert answers[2]["predictions"][:2] == [with_strings(one) for one in plain]
    assert answers[2]["predictions"][2]["error"]["code"] == 400
    assert all(schemas.answer.is_valid(answer) for answer in answers)
    assert all(schemas.request.is_valid(sent) for sent in (*asked[:2], {"instances": [pair], "ids_as_strings": True}))


def test_one_entry_alone_may_ask_for_strings(worker: Make) -> None:
    pair = {"user_id": USER, "movie_id": MOVIE}
    [(_, answer)] = worker().ask({"instances": [{**pair, "ids_as_strings": True}, {**pair, "ids_as_strings": False}]})
    assert [one["user_id"] for one in answer["predictions"]] == [str(USER), USER]


def test_explanations_have_ids_in_strings_where_asked_for(worker: Make) -> None:
    served = worker()
    sent = b'{"user_id": "7", "movie_id": 3, "ids_as_strings": true}'
    [(status, answer)] = served.rows({"body": sent}, headers={"explain": "True"})
    assert (status, answer["user_id"], answer["movie_id"]) == (200, "7", "3")
    assert {type(one["movie_id"]) for one in answer["because"]} == {str}


def test_wish_for_strings_is_true_or_false(worker: Make) -> None:
    one, many = worker().ask({"user_id": 7, "top_k": 1, "ids_as_strings": 1}, {"instances": [], "ids_as_strings": "x"})
    assert one[1]["message"] == "ids_as_strings: expected true or false, got 1"
    assert many[1]["message"] == 'ids_as_strings: expected true or false, got "x"'


def test_columns_take_digits_in_strings(worker: Make) -> None:
    served = worker()
    users, movies = USER_IDS[:3], MOVIE_IDS[:3]
    expected = ask(served, body(tensor("user_id", users), tensor("movie_id", movies))).json
    texts = [[str(one) for one in ids] for ids in (users, movies)]
    for datatype in ("BYTES", "INT64"):
        named = {"datatype": datatype}
        sent = body(tensor("user_id", texts[0], **named), tensor("movie_id", texts[1], **named))
        assert ask(served, sent).json == expected
        assert Schemas(served).request.is_valid(sent)
    user, movie = (raw_bytes(one) for one in texts)
    sent = body(raw("user_id", user, datatype="BYTES"), raw("movie_id", movie, datatype="BYTES"))
    assert ask(served, sent, user + movie).json == expected
    broken = raw_bytes(["7", "x", "8"])
    sent = body(raw("user_id", broken, datatype="BYTES"), raw("movie_id", movie, datatype="BYTES"))
    assert ask(served, sent, broken + movie).json["message"] == 'inputs[0][1]: expected an integer, got "x"'


NULLS = {"user_id": None, "movie_id": None, "movie_ids": None, "top_k": None, "exclude_seen": None, "genres": None}
NULLS |= {"exclude": None, "ratings": None, "instances": None, "inputs": None, "ids_as_strings": None, "note": None}


@pytest.mark.parametrize(
    "asked",
    [
        {"user_id": USER, "movie_id": MOVIE},
        {"user_id": USER, "movie_ids": [MOVIE, 3]},
        {"user_id": USER, "top_k": 3},
        {"ratings": [{"movie_id": MOVIE, "rating": 8}], "movie_id": 3},
        {"instances": [{"user_id": USER, "movie_id": MOVIE}]},
    ],
)
def test_field_that_is_null_counts_as_absent(worker: Make, ranked_artifact: Artifact, asked: dict[str, Any]) -> None:
    served = worker(ranked_artifact)
    request = Schemas(served).request
    for sent in ({**NULLS, **asked}, {"instances": [{**NULLS, **asked}]} if "instances" not in asked else asked):
        assert request.is_valid(sent)
        [(status, answer)] = served.ask(sent)
        assert status == 200
        assert answer in (served.ask(asked)[0][1], {"predictions": [served.ask(asked)[0][1]]})


def test_null_in_a_rating_and_in_columns_counts_as_absent(worker: Make, ranked_artifact: Artifact) -> None:
    served = worker(ranked_artifact)
    rated = {"movie_id": MOVIE, "rating": 8}
    [(_, plain)] = served.ask({"ratings": [rated], "top_k": 1})
    assert served.ask({"ratings": [{**rated, "time": None}], "top_k": 1}) == [(200, plain)]
    expected = ask(served, body()).json
    nulls = {"parameters": None, "outputs": None, "id": None, "model_name": None, "user_id": None}
    tensors = [tensor(*one, parameters=None) for one in (("user_id", [USER, 1, 7]), ("movie_id", [MOVIE, 3, 2**62]))]
    for more in ({"parameters": {"binary_data_output": None}}, nulls):
        sent = body(*tensors, **more)
        assert ask(served, sent).json == expected
        assert Schemas(served).request.is_valid(sent)
    wanted = [{"name": "rating", "parameters": None}]
    assert ask(served, body(outputs=wanted)).json == expected


def test_null_where_a_value_is_needed_is_refused(worker: Make) -> None:
    for sent, message in (
        ({"user_id": None, "top_k": 1}, "user_id: missing or null"),
        ({"user_id": 7, "top_k": None}, "movie_id: missing or null (or movie_ids, or top_k)"),
        ({"user_id": 7, "movie_ids": [None]}, "movie_ids[0]: expected an integer, got null"),
        ({"instances": None}, "user_id: missing or null"),
    ):
        [(status, error)] = worker().ask(sent)
        assert (status, error["message"]) == (400, message)
