"""The requests that every server gets."""

import orjson

from bench.workloads import PAIRS, TOP_K, WORKLOADS, draw_asks, workloads
from handler.request import Request
from handler.service import RatingService
from handler.settings import HandlerSettings
from model.artifact import Artifact


def test_same_artifact_gives_the_same_asks(artifact: Artifact) -> None:
    asks = draw_asks(artifact)
    assert asks == draw_asks(artifact)
    assert asks["binary"] == asks["columns"]
    assert len({orjson.dumps(ask) for ask in asks["columns"]}) == len(asks["columns"])


def test_asks_have_ids_of_the_artifact(artifact: Artifact) -> None:
    users = set(artifact.user_ids.ids.tolist())
    movies = set(artifact.movie_ids.ids.tolist())
    asks = draw_asks(artifact)
    assert {ask["user_id"] for ask in asks["pair"]} == users
    assert {ask["movie_id"] for ask in asks["pair"]} == movies
    for ask in asks["columns"]:
        assert len(ask["user_id"]) == len(ask["movie_id"]) == PAIRS
        assert set(ask["user_id"]) <= users
        assert set(ask["movie_id"]) <= movies


def test_columns_and_instances_ask_for_the_same_pairs(artifact: Artifact) -> None:
    found = workloads(artifact)
    for columns, instances in zip(found["columns"].bodies, found["instances"].bodies, strict=True):
        users, movies = (column["data"] for column in orjson.loads(columns)["inputs"])
        pairs = [(one["user_id"], one["movie_id"]) for one in orjson.loads(instances)["instances"]]
        assert pairs == list(zip(users, movies, strict=True))
    assert found["columns"].pairs == found["instances"].pairs == PAIRS
    assert found["best"].pairs == len(artifact.movie_ids)


def test_every_kind_of_request_is_answered(artifact: Artifact) -> None:
    service = RatingService(artifact, HandlerSettings(), "ncf", "1.0")
    found = workloads(artifact)
    assert tuple(found) == WORKLOADS
    for workload in found.values():
        [answer] = service.answer([Request(workload.bodies[0])])
        assert answer.status == 200
    similar = [orjson.loads(body) for body in found["similar"].bodies]
    assert {ask["movie_id"] for ask in similar} == set(artifact.movie_ids.ids.tolist())
    assert {ask["similar"] for ask in similar} == {TOP_K}
