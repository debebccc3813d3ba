"""Long bodies of tensors are read as orjson reads them, or left to orjson."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import orjson
import pytest

from handler import bulk_json
from handler.bulk_json import read_tensors
from tests.handler.columns import ask, body, raw, tensor
from tests.handler.conftest import Worker

USERS, MOVIES = [11_242, 1, 7] * 100, [10_253, 3, 2**62] * 100
LONG = b" " * 2_000
needs_simdjson = pytest.mark.skipif(find_spec("simdjson") is None, reason="no pysimdjson, as on Python 3.14")


def long(user: Any = None, movie: Any = None, **fields: Any) -> dict[str, Any]:
    columns = (("user_id", USERS, user), ("movie_id", MOVIES, movie))
    return body(*(tensor(name, ids, shape=[300]) | (other or {}) for name, ids, other in columns), **fields)


def plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


@needs_simdjson
@pytest.mark.parametrize(
    "fields",
    [{}, {"id": "영화 é"}, {"outputs": [{"name": "rating"}]}, {"parameters": {"priority": 1.5, "deep": {"a": None}}}],
)
def test_long_body_is_read_as_orjson_reads_it_with_arrays_for_data(fields: dict[str, Any]) -> None:
    read = read_tensors(orjson.dumps(long(**fields)))
    assert read is not None
    assert all(isinstance(one["data"], np.ndarray) for one in read["inputs"])
    read["inputs"] = [{name: plain(value) for name, value in one.items()} for one in read["inputs"]]
    assert read == long(**fields)


@needs_simdjson
@pytest.mark.parametrize(
    "sent",
    [
        orjson.dumps(body()),
        orjson.dumps({"instances": USERS * 3}),
        orjson.dumps(long())[:-1],
        orjson.dumps(long({"data": [*USERS[1:], 1.0]})),
        orjson.dumps(long({"data": [*USERS[1:], True]})),
        orjson.dumps(long({"data": [*USERS[1:], None]})),
        orjson.dumps(long({"data": [*USERS[1:], "7"]})),
        orjson.dumps(long({"data": [*USERS[1:], 2**63]})),
        orjson.dumps(long({"data": [*USERS[1:], [7]]})),
        orjson.dumps(long({"data": {"a": 1}})),
        orjson.dumps(body(tensor("user_id", [*USERS[1:], [7]]), raw("movie_id", b""))),
        orjson.dumps(long())[:-1] + b',"inputs":[]}',
        LONG + b'{"inputs":1}',
        LONG + b'{"inputs":[1]}',
        LONG + b'["inputs"]',
        LONG + b'{"inputs":[],"id":"\\ud800"}',
        LONG + b'{"inputs":[],"id":"\xff"}',
        bytearray(orjson.dumps(long())),
    ],
)
def test_doubtful_body_is_left_to_orjson(sent: bytes) -> None:
    assert read_tensors(sent) is None
    assert read_tensors(orjson.dumps(long())) is not None


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ({"data": [*USERS[1:], [7]]}, "inputs[0].data[299]: expected an integer, got an array"),
        ({"data": [*USERS[1:], True]}, "inputs[0].data[299]: expected an integer, got true"),
        ({"data": USERS[1:]}, "inputs[0].data: 299 elements, the shape says 300"),
        ({"datatype": "BOOL"}, 'inputs[0].datatype: got "BOOL", allowed: INT64'),
    ],
)
def test_long_body_gets_the_same_messages_as_a_short_one(
    worker: Callable[..., Worker], user: dict[str, Any], said: str
) -> None:
    got = ask(worker(), long(user))
    assert (got.status, got.json["message"][: len(said)]) == (400, said)


def test_long_body_gets_the_same_ratings_as_short_ones(worker: Callable[..., Worker]) -> None:
    [whole] = ask(worker(), long()).json["outputs"]
    [part] = ask(worker(), body(tensor("user_id", USERS[:3]), tensor("movie_id", MOVIES[:3]))).json["outputs"]
    assert whole["data"] == pytest.approx(part["data"] * 100, abs=1e-5)


@needs_simdjson
def test_a_server_without_simdjson_gives_the_same_bytes(
    worker: Callable[..., Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    served = worker()
    users = (USERS, [*USERS[1:], 2**63 - 1], [*USERS[1:], 2**63], [*USERS[1:], "7"], [*USERS[1:], 1.5], USERS[1:])
    bodies = [long({"data": data}, id="영화") for data in users]
    expected = [(got.status, got.body) for got in (ask(served, body) for body in bodies)]
    monkeypatch.setattr(bulk_json, "_parser", None)
    assert read_tensors(orjson.dumps(bodies[0])) is None
    assert [(got.status, got.body) for got in (ask(served, body) for body in bodies)] == expected
    assert [status for status, _ in expected] == [200, 200, 400, 200, 400, 400]
