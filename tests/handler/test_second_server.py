"""A second server answers what TorchServe answers: both are thin adapters to the same service."""

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import orjson
import pytest

from handler.oip_codec import HEADER_LENGTH
from model.artifact import Artifact
from ops.asgi.about import local_answers
from ops.asgi.application import Application
from ops.asgi.cors import Cors
from ops.asgi.versions import Served, Versions
from tests.conftest import MOVIE_IDS, USER_IDS
from tests.handler.bodies import columns, good, spoilt, written
from tests.handler.conftest import HTTP, Worker

PAIR = {"user_id": 11_242, "movie_id": 10_253}
RATINGS = [{"movie_id": 3, "rating": 9}, {"movie_id": 99, "rating": 2.5}]
INPUTS = [
    {"name": "user_id", "shape": [2], "datatype": "INT64", "data": [11_242, 1]},
    {"name": "movie_id", "shape": [2], "datatype": "INT64", "data": [10_253, 3]},
]
CONTRACT: list[Any] = [
    PAIR,
    {"user_id": 1, "movie_id": 4},
    {"user_id": 11_242, "movie_ids": [10_253, 10_102, 5]},
    {"user_id": 11_242, "top_k": 3, "genres": ["Drama"], "exclude": [3]},
    {"ratings": RATINGS, "movie_id": 10_102},
    {"ratings": RATINGS, "user_id": 7, "top_k": 2},
    {"instances": [PAIR, {"user_id": "x"}, {"user_id": 7, "top_k": 1}]},
    {"instances": [PAIR, PAIR]},
    {"inputs": INPUTS, "id": "7"},
    {"user_id": "x"},
    {"user_id": 7, "stars": 1},
    {"inputs": []},
    b"{",
    b"",
]


def application(served: Worker) -> Application:
    """The ASGI server over the service of TorchServe's worker."""
    versions = Versions({"1.0": Served(served.handler.service, batch_size=48, max_body_bytes=4_194_304)}, "1.0")
    return Application(versions, local_answers(versions, lambda: [1]), Cors(), most_waiting=1000)


def ask_asgi(served: Worker, path: str, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(application(served))
        async with httpx.AsyncClient(transport=transport, base_url="http://asgi") as client:
            return await client.post(path, content=body, headers=headers)

    return asyncio.run(ask())


def assert_same(served: Worker, body: bytes, headers: Mapping[str, str], explain: bool) -> None:
    own = {**headers, "content-type": "application/json"}
    [expected] = served.replies({"body": body}, headers={**HTTP, **own, "explain": str(explain)})
    got = ask_asgi(served, "/explanations/ncf" if explain else "/predictions/ncf", body, own)
    assert (got.status_code, got.content) == (expected.status, expected.body)
    length = {"content-length": str(len(expected.body))}
    assert dict(got.headers) == {**{name.lower(): value for name, value in expected.headers.items()}, **length}


@pytest.mark.parametrize("unknown", ["answer", "error"])
@pytest.mark.parametrize("explain", [False, True])
def test_asgi_adapter_gives_the_same_status_headers_and_body(
    worker: Callable[..., Worker], ranked_artifact: Artifact, unknown: str, explain: bool
) -> None:
    served = worker(ranked_artifact, unknown=unknown)
    for body in CONTRACT:
        assert_same(served, body if isinstance(body, bytes) else orjson.dumps(body), {}, explain)


def test_asgi_adapter_gives_the_same_answers_to_random_bodies(
    worker: Callable[..., Worker], ranked_artifact: Artifact
) -> None:
    served = worker(ranked_artifact, max_pairs=40)
    for seed in range(150):
        dice = random.Random(seed)
        value, tail = good(dice, USER_IDS, MOVIE_IDS), b""
        if dice.random() < 0.3:
            value, tail = columns(dice, USER_IDS, MOVIE_IDS)
        if dice.random() < 0.3:
            value = spoilt(dice, value)
        text = written(dice, value)
        assert_same(served, text + tail, {HEADER_LENGTH: str(len(text))} if tail else {}, dice.random() < 0.2)


def test_asgi_adapter_gives_the_description(worker: Callable[..., Worker]) -> None:
    served = worker()

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(application(served))
        async with httpx.AsyncClient(transport=transport, base_url="http://asgi") as client:
            return await client.get("/models/ncf")

    [told] = asyncio.run(ask()).json()
    assert told["customizedMetadata"] == served.rows({}, headers={"describe": "True"})[0][1]
