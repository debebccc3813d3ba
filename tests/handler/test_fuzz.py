"""Whatever clients send, each gets an answer of the contract, and the same answer as alone.

This is the worker's real path without the JVM: frames, TorchServe's Service, the handler, frames. It is tried with this
project's reader and writer, with TorchServe's own, and with bodies that TorchServe has parsed. `make test` tries a few
thousand requests, `make fuzz` more than 100,000.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from ts.metrics.metric_cache_yaml_impl import MetricsCacheYamlImpl
from ts.protocol import otf_message_handler
from ts.service import Service

from handler import wire
from model.artifact import Artifact
from tests.conftest import MOVIE_IDS, USER_IDS
from tests.handler.bodies import requests
from tests.handler.conftest import SETTINGS, Worker
from tests.handler.frames import Got, Sent, exchange

# Small, so that bodies of a few hundred bytes pass them.
LIMITS = {"max_pairs": 40, "max_top_k": 8, "max_explanations": 2, "max_body_bytes": 6000, "max_answer_bytes": 3000}
LIMITS |= {"max_depth": 8, "metrics_interval_s": 0}
INTEGERS = ([*USER_IDS, 5], [*MOVIE_IDS, 4])
STRINGS = (["ann", "zoë", "nobody"], ["0002844", "2844", "a b", "none"])


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # TorchServe's, of metrics.yaml
@pytest.mark.parametrize(
    ("path", "strings", "unknown"),
    [("fast", False, "answer"), ("fast", True, "error"), ("raw", False, "error"), ("parsed", True, "answer")],
)
def test_every_request_of_a_batch_is_answered_as_if_it_were_alone(
    worker: Callable[..., Worker],
    artifact: Artifact,
    string_artifact: Artifact,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    strings: bool,
    unknown: str,
) -> None:
    model = string_artifact if strings else artifact
    [(_, described)] = worker(model).rows({}, headers={"describe": "True"})  # it is longer than these limits allow
    valid = Draft202012Validator(described["schema"]["answer"])
    service = make_service(worker(model, unknown=unknown, **LIMITS), path, monkeypatch)
    counts: Counter[int] = Counter()

    request = requests(*(STRINGS if strings else INTEGERS))

    @given(st.lists(request, min_size=1, max_size=12) | st.lists(request, min_size=16, max_size=24))
    def try_batch(batch: list[Sent]) -> None:
        for sent, got in zip(batch, exchange(service, batch), strict=True):
            counts[got.status] += 1
            check(got, valid)
            if len(batch) > 1:
                [alone] = exchange(service, [sent])
                assert_alike(got, alone)

    try_batch()
    print(f"{path}: {counts.total():,} requests, by status: {dict(sorted(counts.items()))}")
    assert set(counts) == {200, 400, 413, 415} | ({404} if unknown == "error" else set())


def make_service(served: Worker, path: str, monkeypatch: pytest.MonkeyPatch) -> Service:
    """TorchServe's Service around the handler; `path` names the reader of frames and the parser of bodies."""
    monkeypatch.setenv("TS_DECODE_INPUT_REQUEST", "true" if path == "parsed" else "false")
    monkeypatch.setattr(Service, "predict", Service.predict)
    monkeypatch.setattr(otf_message_handler, "_retrieve_inference_msg", otf_message_handler._retrieve_inference_msg)
    if path == "fast":
        assert wire.install(served.handler.service)
    metrics = MetricsCacheYamlImpl(str(SETTINGS.with_name("metrics.yaml")))
    metrics.initialize_cache()
    service = Service("ncf", "", {}, served.handler.handle, None, 16, metrics_cache=metrics)
    service.set_cl_socket(None)
    return service


def check(got: Got, valid: Draft202012Validator) -> None:
    """Checks that an answer fits the contract: its status, its JSON, and the number of its raw bytes."""
    body = got.json
    assert valid.is_valid(body), body
    if got.status != 200:
        assert body.keys() == {"code", "type", "message"}
        kinds = {400: "InvalidRequest", 404: "UnknownId", 413: "TooLarge", 415: "UnsupportedMediaType"}
        assert (body["code"], body["type"]) == (got.status, kinds[got.status])
        assert body["message"].isascii()
        assert len(body["message"]) < 400
    else:
        assert "code" not in body
        sizes = [o["parameters"]["binary_data_size"] for o in body.get("outputs", ()) if "parameters" in o]
        assert len(got.tensors) == sum(sizes)


def assert_alike(got: Got, alone: Got) -> None:
    """Equal, except for the last digits of ratings: the network's sums depend on the size of the batch."""
    assert got.status == alone.status
    assert got.headers.keys() == alone.headers.keys()
    assert_close(got.json, alone.json)
    start = 0
    for output in got.json.get("outputs", ()):
        if "parameters" in output:
            end = start + output["parameters"]["binary_data_size"]
            kind = {"FP32": "<f4", "BOOL": "?"}[output["datatype"]]
            one, other = (np.frombuffer(raw[start:end], kind).tolist() for raw in (got.tensors, alone.tensors))
            assert_close(one, other)
            start = end


def as_ranked(best: Any) -> Any:
    """Movies sorted by id, ratings by size: movies whose ratings nearly tie may change places."""
    items = best["recommendations"]
    others = {name: value for name, value in best.items() if name != "recommendations"}
    by_id = sorted(items, key=lambda item: str(item["movie_id"]))
    return others | {"items": by_id, "ratings": [item["rating"] for item in items]}


def assert_close(one: Any, other: Any) -> None:
    if isinstance(one, dict) and isinstance(other, dict):
        assert one.keys() == other.keys()
        if "recommendations" in one:
            one, other = as_ranked(one), as_ranked(other)
        for name, value in one.items():
            assert_close(value, other[name])
    elif isinstance(one, list) and isinstance(other, list):
        assert len(one) == len(other)
        for value, beside in zip(one, other, strict=True):
            assert_close(value, beside)
    elif isinstance(one, float) and isinstance(other, float):
        assert abs(one - other) <= 1e-5
    else:
        assert one == other
