"""What one client sends can neither end a worker nor fail another's request."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from tests.handler.conftest import HTTP, Worker

Make = Callable[..., Worker]
PAIR = {"user_id": 11_242, "movie_id": 10_253}
BODY = {"body": orjson.dumps(PAIR)}


def test_describe_header_of_a_client_is_ignored(worker: Make) -> None:
    replies = worker().replies(BODY, BODY, headers={**HTTP, "describe": "True"})
    assert [reply.json.keys() for reply in replies] == [{*PAIR, "rating"}] * 2


def test_explain_header_of_a_client_is_ignored(worker: Make) -> None:
    for headers in ({**HTTP, "Explain": "True"}, {"Explain": "True", **HTTP}):
        [reply] = worker().replies(BODY, headers=headers)
        assert reply.json.keys() == {*PAIR, "rating"}


def test_only_grpc_answers_have_the_header_that_ends_a_stream(worker: Make) -> None:
    served = worker()
    fields = {"data": {"content-type": ""}}  # what TorchServe's own reader makes of a request without headers
    for headers, last in (({}, "false"), (fields, "false"), (HTTP, None), (HTTP | fields, None)):
        for reply in served.replies(BODY, {"data": b"{"}, headers=headers):  # type: ignore[arg-type]
            assert reply.headers.get("ts_stream_next") == last


@pytest.mark.parametrize(
    ("settings", "headers", "body", "message"),
    [
        ({"max_answer_bytes": 90}, {}, {"instances": [PAIR, PAIR]}, "answer: 12"),
        ({"max_answer_bytes": 90}, {}, {"instances": [0, 0]}, "answer: "),
        ({"max_explanations": 1}, {"explain": "True"}, {"instances": [PAIR, PAIR]}, "instances: 2 entries, at most 1 "),
    ],
)
def test_too_long_answer_gets_413(
    worker: Make, settings: dict[str, int], headers: dict[str, str], body: Any, message: str
) -> None:
    [(status, error)] = worker(**settings).rows({"body": orjson.dumps(body)}, headers=HTTP | headers)
    assert (status, error["type"]) == (413, "TooLarge")
    assert error["message"].startswith(message)


def nested(levels: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(levels):
        found = [found]
    return found


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"user_id": "\ud800", "movie_id": 3}, 400),
        ({"user_id": 10**400, "movie_id": 3}, 400),
        ({"user_id": float("nan"), "movie_id": 3}, 400),
        ({"user_id": nested(100), "movie_id": 3}, 413),
        (nested(500), 413),
        ('{"user_id": "\ud800", "movie_id": 3}', 400),
    ],
)
def test_values_that_only_torchserves_parser_accepts_are_rejected(worker: Make, body: Any, status: int) -> None:
    (refused, error), (good, _) = worker().rows({"body": body}, BODY)
    assert (refused, error["code"], good) == (status, status, 200)
