"""The contract of the API, tested through the handler as TorchServe calls it."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from model.artifact import Artifact
from model.asks import PairAnswer, PairAsk
from model.predictor import Predictor
from tests.conftest import MOVIE_IDS
from tests.handler.conftest import Worker

Make = Callable[..., Worker]
PAIR = {"user_id": 11_242, "movie_id": 10_253}
COLUMNS = {
    "inputs": [
        {"name": "user_id", "shape": [3], "datatype": "INT64", "data": [11_242, 1, 7]},
        {"name": "movie_id", "shape": [3], "datatype": "INT64", "data": [10_253, 3, 3]},
    ]
}

TENSOR = '{{"name": "{}", "shape": [1], "datatype": "INT64", "data": [{}]}}'


def in_process(artifact: Artifact, user_id: int, movie_id: int) -> float:
    [answer] = Predictor(artifact).answer([PairAsk(user_id, movie_id)])
    assert isinstance(answer, PairAnswer)
    return answer.rating


def test_one_pair_is_answered_with_its_rating(worker: Make, artifact: Artifact) -> None:
    [(status, body)] = worker().ask(PAIR)
    assert status == 200
    assert body == {**PAIR, "rating": pytest.approx(in_process(artifact, 11_242, 10_253), abs=1e-5)}


def test_every_answer_names_its_version(worker: Make) -> None:
    bodies: list[bytes] = [orjson.dumps(body) for body in (PAIR, COLUMNS, {"user_id": "x"})] + [b"{", b""]
    replies = worker().replies(*({"body": body} for body in bodies))
    assert [reply.status for reply in replies] == [200, 200, 400, 400, 400]
    assert {reply.headers["X-Model-Version"] for reply in replies} == {"1.0"}


def test_unknown_ids_are_answered_and_flagged(worker: Make) -> None:
    bodies = [{"user_id": 1, "movie_id": 3}, {"user_id": 7, "movie_id": 1}, {"user_id": 1, "movie_id": 2**63 - 1}]
    answers = [body for _, body in worker().ask(*bodies)]
    assert answers[0]["unknown"] == ["user_id"]
    assert answers[1]["unknown"] == ["movie_id"]
    assert answers[2]["unknown"] == ["user_id", "movie_id"]
    assert all(1 <= answer["rating"] <= 10 for answer in answers)


def test_unknown_ids_get_404_under_the_policy_error(worker: Make) -> None:
    strict = worker(unknown="error")
    (good, _), (bad, error), (best, _) = strict.ask(
        PAIR, {"user_id": 1, "movie_id": 2}, {"user_id": 7, "movie_ids": [3, 4]}
    )
    assert (good, bad, best) == (200, 404, 404)
    assert error["message"] == "user_id 1, movie_id 2: not in the training data"
    [(status, body)] = strict.ask({"instances": [PAIR, {"user_id": 1, "movie_id": 3}]})
    assert status == 200
    assert body["predictions"][1]["error"]["code"] == 404


def test_candidates_are_sorted_by_rating_and_have_titles(worker: Make) -> None:
    [(_, body)] = worker().ask({"user_id": 11_242, "movie_ids": [10_253, 10_102, 10_007, 5]})
    ratings = [item["rating"] for item in body["recommendations"]]
    assert ratings == sorted(ratings, reverse=True)
    items = {item["movie_id"]: item for item in body["recommendations"]}
    assert items[10_007]["title"] == "Movie 1"
    assert items[10_007]["genres"] == ["Drama", "Crime"]
    assert items[5]["unknown"] == ["movie_id"]
    assert "title" not in items[5]


def test_top_k_excludes_rated_movies_by_default(worker: Make) -> None:
    best, everything = worker().ask(
        {"user_id": 11_242, "top_k": 10}, {"user_id": 11_242, "top_k": 10, "exclude_seen": False}
    )
    assert {item["movie_id"] for item in best[1]["recommendations"]} == set(MOVIE_IDS) - {3, 77_777}
    assert {item["movie_id"] for item in everything[1]["recommendations"]} == set(MOVIE_IDS)


def test_bad_instance_gets_its_own_error_and_the_others_are_answered(worker: Make) -> None:
    instances = [PAIR, {"user_id": "x", "movie_id": 3}, [], {"user_id": 7, "top_k": 1}]
    [(status, body)] = worker().ask({"instances": instances})
    pair, bad_id, no_object, best = body["predictions"]
    assert status == 200
    assert pair["rating"] == worker().ask(PAIR)[0][1]["rating"]
    assert bad_id["error"]["message"] == 'instances[1].user_id: expected an integer, got "x"'
    assert no_object["error"]["message"] == "instances[2]: expected an object, got an array"
    assert len(best["recommendations"]) == 1


def test_batch_answers_each_request_as_if_it_were_alone(worker: Make) -> None:
    bodies: list[Any] = [
        PAIR,
        b"{",
        {"instances": [PAIR, {}]},
        {"user_id": 7, "top_k": 2},
        b"",
        {"user_id": 7, "movie_ids": [3, 10_007], "genres": ["Drama"]},
        {"inputs": []},
        {"instances": []},
    ]
    served = worker()
    assert served.ask(*bodies) == [served.ask(body)[0] for body in bodies]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "body: empty, expected JSON such as"),
        (b"  \n", "body: empty, expected JSON such as"),
        (b"{", "body: not valid JSON"),
        (b'{"user_id": NaN, "movie_id": 3}', "body: not valid JSON"),
        (b'{"user_id": "\\ud800", "movie_id": 3}', "body: not valid JSON"),
        (b"\xff\xfe", "body: not valid JSON"),
        (b"3", "body: expected an object, got 3"),
        (b"null", "body: expected an object, got null"),
        ({}, "user_id: missing"),
        ({"user_id": 7}, "movie_id: missing or null (or movie_ids, or top_k)"),
        ({"movie_id": 3}, "user_id: missing"),
        ({"user_id": "011242", "movie_id": 3}, 'user_id: expected an integer, got "011242"'),
        ({"user_id": True, "movie_id": 3}, "user_id: expected an integer, got true"),
        ({"user_id": 1.0, "movie_id": 3}, "user_id: expected an integer, got 1.0"),
        ({"user_id": 7, "movie_id": None}, "movie_id: missing or null (or movie_ids, or top_k)"),
        ({"user_id": 7, "movie_id": {"a": 1}}, "movie_id: expected an integer, got an object"),
        ({"user_id": 7, "movie_id": 3, "top_k": 1}, '"top_k": no such field here, allowed: movie_id, user_id'),
        ({"user_id": 7, "top_K": 1}, '"top_K": no such field here'),
        ({"user_id": 7, "top_k": 0}, "top_k: expected an integer from 1 to 1000, got 0"),
        ({"user_id": 7, "top_k": True}, "top_k: expected an integer from 1 to 1000, got true"),
        ({"user_id": 7, "top_k": 1001}, "top_k: expected an integer from 1 to 1000, got 1001"),
        ({"user_id": 7, "movie_ids": 3}, "movie_ids: expected an array, got 3"),
        ({"user_id": 7, "movie_ids": [3, " 3"]}, 'movie_ids[1]: expected an integer, got " 3"'),
        ({"user_id": 7, "top_k": 1, "exclude": [None]}, "exclude[0]: expected an integer, got null"),
        ({"user_id": 7, "top_k": 1, "exclude_seen": 1}, "exclude_seen: expected true or false, got 1"),
        ({"user_id": 7, "top_k": 1, "genres": ["Noir"]}, 'genres[0]: got "Noir", allowed: Comedy, Crime, Drama'),
        ({"instances": {}}, "instances: expected an array, got an object"),
        ({"instances": [], "user_id": 7}, '"user_id": no such field here, allowed: ids_as_strings, instances'),
    ],
)
def test_error_says_what_was_got_where_and_what_is_allowed(worker: Make, body: Any, message: str) -> None:
    [(status, error)] = worker().ask(body)
    assert (status, error["code"], error["type"]) == (400, 400, "InvalidRequest")
    assert error["message"].startswith(message)


@pytest.mark.parametrize(
    ("settings", "body"),
    [
        ({"max_pairs": 2}, {"instances": [PAIR] * 3}),
        ({"max_pairs": 2}, {"user_id": 7, "movie_ids": [1, 2, 3]}),
        ({"max_pairs": 2}, {"instances": [{"user_id": 7, "movie_ids": [1, 2]}, PAIR]}),
        ({"max_pairs": 2}, {"instances": [{"user_id": 7, "top_k": 1}, PAIR]}),
        ({"max_pairs": 2}, COLUMNS),
        ({"max_body_bytes": 2}, PAIR),
    ],
)
def test_request_over_a_limit_gets_413(worker: Make, settings: dict[str, int], body: Any) -> None:
    [(status, error)] = worker(**settings).ask(body)
    assert status == 413
    assert "at most 2 are allowed" in error["message"]


def test_deeply_nested_json_gets_413(worker: Make) -> None:
    deep, broken, wide = worker(max_depth=4).ask(
        b'{"user_id": ' + b"[" * 5 + b"]" * 5 + b"}", b"[" * 10_000, {"user_id": [[1]] * 5000}
    )
    assert deep[0] == broken[0] == 413
    assert deep[1]["message"] == broken[1]["message"] == "body: JSON nested deeper than 4 levels"
    assert wide[1]["message"] == "user_id: expected an integer, got an array"


def test_one_ranking_of_the_whole_catalogue_is_always_allowed(worker: Make) -> None:
    served = worker(max_pairs=2)
    for body in ({"user_id": 7, "top_k": 3}, {"instances": [{"user_id": 7, "top_k": 3}]}):
        assert served.ask(body)[0][0] == 200


def test_error_quotes_client_text_short_and_in_ascii(worker: Make) -> None:
    [(_, error)] = worker().ask({"user_id": "é\n\x00" + "x" * 5000, "movie_id": 3})
    assert error["message"].isascii()
    assert error["message"].isprintable()
    assert len(error["message"]) < 120


@pytest.mark.parametrize(
    "row",
    [
        {"body": b'{"user_id": 7, "movie_id": 3}'},
        {"body": bytearray(b'{"user_id": 7, "movie_id": 3}')},
        {"body": {"user_id": 7, "movie_id": 3}},
        {"data": bytearray(b'{"user_id": 7, "movie_id": 3}')},
        {'{"user_id": 7, "movie_id": 3}': bytearray(b"")},
        {"file": bytearray(b'{"user_id": 7, "movie_id": 3}')},
    ],
)
def test_body_is_found_wherever_torchserve_puts_it(worker: Make, row: dict[str, Any]) -> None:
    [(status, body)] = worker().rows(row)
    assert (status, body["user_id"]) == (200, 7)


@pytest.mark.parametrize("row", [{}, {"a": b"1", "b": b"2"}, {"body": 0}, {"body": ""}, {"body": []}])
def test_row_without_a_body_gets_400(worker: Make, row: dict[str, Any]) -> None:
    [(status, error)] = worker().rows(row)
    assert status == 400
    assert error["message"].startswith("body: ")


@pytest.mark.parametrize("digits", ["9223372036854775808", "-9223372036854775809", "18446744073709551616", "1" * 40])
@pytest.mark.parametrize(
    ("body", "where"),
    [
        ('{"user_id": ID, "movie_id": 3}', "user_id"),
        ('{"user_id": 7, "movie_id": ID, "ids_as_strings": true}', "movie_id"),
        ('{"user_id": 7, "movie_ids": [3, ID]}', "movie_ids[1]"),
        ('{"user_id": 7, "top_k": 1, "exclude": [ID]}', "exclude[0]"),
        ('{"instances": [{"user_id": 7, "movie_id": ID}]}', "instances[0].movie_id"),
        (f'{{"inputs": [{TENSOR.format("user_id", "7")}, {TENSOR.format("movie_id", "ID")}]}}', "inputs[1].data[0]"),
        (f'{{"inputs": [{TENSOR.format("user_id", "ID")}]}}{" " * 1024}', "inputs[0].data[0]"),
    ],
)
def test_an_integer_that_no_id_can_be_is_refused_wherever_it_stands(
    worker: Make, digits: str, body: str, where: str
) -> None:
    for written in (digits, f'"{digits}"'):
        [(_, answer)] = worker().ask(body.replace("ID", written).encode())
        error = answer["predictions"][0]["error"] if "predictions" in answer else answer
        assert error["code"] == 400
        assert error["message"].startswith(f"{where}: expected an integer of 64 bits, -2^63 to 2^63 - 1, got ")


def test_string_ids_reject_integers(worker: Make, string_artifact: Artifact) -> None:
    served = worker(string_artifact)
    good, bad = served.ask({"user_id": "zoë", "movie_id": "0002844"}, {"user_id": "zoë", "movie_id": 2844})
    assert good[0] == 200
    assert "unknown" not in good[1]
    assert bad[1]["message"] == "movie_id: expected a string, got 2844"


def test_description_holds_the_metadata(worker: Make) -> None:
    [(status, body)] = worker().rows({}, headers={"describe": "True"})
    assert status == 200
    assert body["rating_scale"] == [1, 10]
    assert (body["num_users"], body["num_movies"]) == (5, 6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"unknown": "guess"}, "handler.unknown: got 'guess', allowed: answer, error"),
        ({"max_top_k": 0}, "handler.max_top_k: got 0"),
        ({"max_topk": 5}, "handler.max_topk: no such setting, allowed:"),
    ],
)
def test_wrong_setting_stops_the_worker_from_loading(worker: Make, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        worker(**change)
