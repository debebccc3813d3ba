"""The schema in the description says exactly what the service accepts and answers."""

import random
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import orjson
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from torch import Tensor

from model.artifact import Artifact
from model.catalogue import Catalogue
from model.scale import RatingScale
from tests.conftest import MOVIE_IDS, USER_IDS
from tests.handler.bodies import good, spoilt, written
from tests.handler.conftest import Worker
from tests.handler.drawn import drawn
from tests.handler.schemas import Schemas

Make = Callable[..., Worker]
PAIR = {"user_id": 11_242, "movie_id": 10_253}


@pytest.mark.parametrize("strings", [False, True])
def test_both_schemas_are_valid_and_fit_the_models_ids(
    worker: Make, artifact: Artifact, string_artifact: Artifact, strings: bool
) -> None:
    schemas = Schemas(worker(string_artifact if strings else artifact))
    for schema in schemas.schema.values():
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        Draft202012Validator.check_schema(schema)
    assert schemas.request.is_valid({"user_id": 7, "movie_id": 3}) is not strings
    assert schemas.request.is_valid({"user_id": "7", "movie_id": "3"})
    for digits in ("07", "7.0", "+7", "", "x"):
        assert schemas.request.is_valid({"user_id": digits, "movie_id": "3"}) is strings


def test_schema_holds_the_models_scale_genres_and_limits(worker: Make) -> None:
    schema = Schemas(worker(max_pairs=9, max_top_k=4, max_explanations=2)).schema
    definitions = schema["request"]["$defs"]
    best = {name: field["anyOf"][0] for name, field in definitions["best"]["properties"].items() if "anyOf" in field}
    assert best["top_k"]["maximum"] == 4
    assert best["movie_ids"]["maxItems"] == 9
    assert best["genres"]["items"] == {"enum": ["Comedy", "Crime", "Drama"]}
    assert definitions["explanation"]["anyOf"][1]["properties"]["instances"]["maxItems"] == 2
    rating = schema["answer"]["$defs"]["pair"]["properties"]["rating"]
    assert (rating["minimum"], rating["maximum"]) == (1, 10)


@pytest.mark.parametrize("genres", [0, 101])
def test_schema_lists_genres_only_if_they_are_few(worker: Make, artifact: Artifact, genres: int) -> None:
    columns = {"genres": [[f"genre {n}" for n in range(genres)]] * 6}
    request = Schemas(worker(replace(artifact, catalogue=Catalogue(columns, 6)))).request
    assert request.is_valid({"user_id": 7, "top_k": 1, "genres": ["genre 0"]}) is bool(genres)
    assert request.is_valid({"user_id": 7, "top_k": 1, "genres": []})


@pytest.mark.parametrize("bounds", [(0.1, 0.7), (0.5, 5), (-10, 10), (1, 3.3333333333)])
def test_rounded_rating_at_a_bound_fits_the_schema(
    worker: Make, artifact: Artifact, bounds: tuple[float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    served = worker(replace(artifact, scale=RatingScale(*bounds)))
    schemas = Schemas(served)
    for logit in (-200.0, 200.0):
        monkeypatch.setattr(served.handler.service.predictor.scorer, "head", partial(saturated, logit))
        inputs = [
            {"name": name, "shape": [1], "datatype": "INT64", "data": [PAIR[name]]} for name in ("user_id", "movie_id")
        ]
        columns = {"inputs": inputs}
        for status, body in served.ask(PAIR, columns, {"user_id": 7, "top_k": 2}, {"instances": [PAIR, PAIR]}):
            assert status == 200
            assert schemas.answer.is_valid(body), body


def saturated(logit: float, user: Tensor, _movie: Tensor) -> Tensor:
    """A head whose every unit score is 0 or 1."""
    return torch.full((len(user),), logit).sigmoid()


REQUESTS: list[Any] = [
    PAIR,
    {"user_id": 1, "movie_id": 2},
    {"user_id": 7, "top_k": 3},
    {"user_id": 1, "movie_ids": [3, 5]},
    {"instances": [PAIR, {"user_id": "x"}, {"user_id": 7, "top_k": 1}]},
    {"instances": [PAIR, PAIR]},
    {"instances": []},
    {"user_id": "x"},
    b"{",
    {"user_id": 7, "movie_ids": [3] * 50},
]


@pytest.mark.parametrize("unknown", ["answer", "error"])
def test_every_answer_fits_the_schema(worker: Make, unknown: str) -> None:
    served = worker(unknown=unknown, max_pairs=40)
    valid = Schemas(served).answer
    asked = [{"body": orjson.dumps(body)} for body in (PAIR, {"instances": [PAIR, {}]}, {"user_id": 7, "top_k": 1})]
    explained = served.rows(*asked, headers={"explain": "True"})
    for status, body in [*served.ask(*REQUESTS), *explained]:
        assert valid.is_valid(body), body
        assert status == body.get("code", 200)


def test_schema_accepts_an_integer_written_as_1_0_but_the_service_rejects_it(worker: Make) -> None:
    served = worker()
    body = {"user_id": 7.0, "movie_id": 3}
    assert Draft202012Validator(Schemas(served).schema["request"]).is_valid(body)
    assert served.ask(body)[0][0] == 400


# Errors that JSON Schema cannot express: of tensors, and of digits that stand for more than 64 bits.
BEYOND = re.compile(
    r"the shape says|expected the same number|bytes? (is|are) left|bytes? after the last tensor|: [\d,]+ bytes?,"
    r'|expected an integer of 64 bits, .*, got "-?\d{19}"'
)


def test_schema_accepts_exactly_the_requests_that_are_answered(worker: Make, ranked_artifact: Artifact) -> None:
    served = worker(ranked_artifact, max_pairs=40, max_depth=30)
    schemas = Schemas(served)
    request, slot = schemas.request, schemas.part("pair", "best", "fold_in", "similar", "search", "users", "about")

    @settings(max_examples=10 * settings().max_examples)
    @given(st.binary(min_size=8, max_size=8), st.integers(0, 2))
    def try_body(seed: bytes, changes: int) -> None:
        dice = random.Random(seed)
        if dice.random() < 0.5:
            value = good(dice, USER_IDS, MOVIE_IDS)
        else:
            value = drawn(dice, schemas.schema["request"], schemas.schema["request"]["$defs"])
            assert request.is_valid(value), value
        for _ in range(changes):
            value = spoilt(dice, value)
        text = written(dice, value)
        [reply] = served.replies({"body": text})
        status, answer = reply.status, reply.json
        assert schemas.answer.is_valid(answer), answer
        try:
            body = orjson.loads(text)
        except orjson.JSONDecodeError:
            assert status in (400, 413)
            return
        if not isinstance(body, dict) or body.get("instances") is None or status != 200:
            allowed = request.is_valid(body)
            assert allowed or status in (400, 413)
            assert not allowed or status in (200, 413) or BEYOND.search(answer["message"])
            return
        for asked, answered in zip(body["instances"], answer["predictions"], strict=True):
            assert slot.is_valid(asked) == ("error" not in answered)

    try_body()


def test_schema_accepts_exactly_the_explanations_that_are_answered(worker: Make) -> None:
    served = worker()
    schemas = Schemas(served)
    asked = schemas.part("explanation")
    bodies: list[Any] = [PAIR, {"instances": [PAIR]}, {"user_id": 7, "top_k": 1}, {"user_id": 7}, {"instances": 3}, []]
    for body in bodies:
        [(status, answer)] = served.rows({"body": orjson.dumps(body)}, headers={"explain": "True"})
        assert asked.is_valid(body) == (status == 200)
        assert schemas.answer.is_valid(answer)
