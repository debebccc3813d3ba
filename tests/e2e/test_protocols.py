"""The real server, with a real client of each protocol, and with valid and malformed requests."""

import json
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import httpx
import numpy as np
import pytest
import tritonclient.http as triton
from jsonschema import Draft202012Validator

from ops.settings import TORCHSERVE
from tests.e2e import plain_http
from tests.e2e.grpc_client import GrpcClient
from tests.e2e.project import Project
from tests.e2e.triton_client import ask_triton

pytestmark = pytest.mark.e2e

STRANGER = 1
JSON = {"content-type": "application/json"}


@pytest.fixture
def ids(served: Project) -> tuple[list[int], list[int]]:
    """Users and equally many movies; the model does not know the last user and the last movie."""
    example = served.client.describe()["example"]
    movies: list[int] = example["movie_ids"]
    return [example["user_id"]] * (len(movies) - 1) + [STRANGER], movies


@pytest.fixture
def ratings(served: Project, ids: tuple[list[int], list[int]]) -> Any:
    pairs = [{"user_id": user, "movie_id": movie} for user, movie in zip(*ids, strict=True)]
    return pytest.approx([served.ask(pair).json()["rating"] for pair in pairs], abs=1e-5)


@pytest.fixture(params=["served", "served_by_asgi"], scope="module")
def either(request: pytest.FixtureRequest) -> Project:
    """Each of the two servers."""
    server: Project = request.getfixturevalue(request.param)
    return server


@pytest.fixture
def rpc(served: Project) -> Iterator[GrpcClient]:
    with GrpcClient(f"127.0.0.1:{served.ports['7070']}") as client:
        yield client


@pytest.fixture
def same_workers(either: Project) -> Iterator[None]:
    """Checks that no worker ends during the test."""
    before = workers(either)
    yield
    assert workers(either) == before


def workers(served: Project) -> list[int]:
    return sorted(worker["pid"] for version in served.client.versions() for worker in version["workers"])


def post(served: Project, path: str, body: Any, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return plain_http.post(served.settings.inference + path, content=content, headers=JSON | headers)


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize("outputs", [None, ["rating"], ["movie_known", "rating", "user_known"]])
def test_a_triton_client_gets_its_tensors(
    either: Project, ids: tuple[list[int], list[int]], ratings: Any, raw: bool, outputs: list[str] | None
) -> None:
    result = ask_triton(either, *ids, raw=raw, outputs=outputs, request_id="seven")
    response = result.get_response()
    assert (response["id"], response["model_name"], response["model_version"]) == ("seven", "ncf", "1.0")
    assert [output["name"] for output in response["outputs"]] == (outputs or ["rating"])
    assert result.as_numpy("rating").dtype == np.float32
    assert result.as_numpy("rating").tolist() == ratings
    if outputs and len(outputs) > 1:
        assert result.as_numpy("user_known").tolist() == [True] * (len(ids[0]) - 1) + [False]
        assert result.as_numpy("movie_known").all()


def test_triton_client_gets_clear_errors(either: Project) -> None:
    message = "user_id has 1 entry, movie_id 2; expected the same number"
    with pytest.raises(triton.InferenceServerException, match=message):
        ask_triton(either, [1], [1, 2])


def test_columns_give_the_same_answer_at_predictions(
    either: Project, ids: tuple[list[int], list[int]], ratings: Any
) -> None:
    inputs = [
        {"name": name, "shape": [len(values)], "datatype": "INT64", "data": values}
        for name, values in zip(("user_id", "movie_id"), ids, strict=True)
    ]
    for path in ("/predictions/ncf", "/predictions/ncf/1.0", "/v2/models/ncf/infer"):
        response = post(either, path, {"inputs": inputs})
        assert response.json()["outputs"][0]["data"] == ratings
        assert response.json()["parameters"] == {"unknown_user_id": 1}


def test_kserve_1_predicts_and_explains(either: Project, ids: tuple[list[int], list[int]], ratings: Any) -> None:
    instances = [{"user_id": user, "movie_id": movie} for user, movie in zip(*ids, strict=True)]
    predicted = post(either, "/v1/models/ncf:predict", {"instances": instances}).json()["predictions"]
    assert [one["rating"] for one in predicted] == ratings
    explained = post(either, "/v1/models/ncf:explain", {"instances": instances}).json()["explanations"]
    assert [one["rating"] for one in explained] == ratings
    assert explained[0] == post(either, "/explanations/ncf", instances[0]).json()
    for one in explained:
        assert sum(one["parts"].values()) == pytest.approx(one["rating"], abs=1e-5)


@pytest.mark.parametrize("field", ["body", "data"])
def test_grpc_and_http_give_the_same_answers(
    served: Project, ids: tuple[list[int], list[int]], rpc: GrpcClient, field: str
) -> None:
    user, movie = ids[0][0], ids[1][0]
    pair = {"user_id": user, "movie_id": movie}
    bodies: list[dict[str, Any]] = [pair, {"user_id": user, "top_k": 3}, {"user_id": "x"}, {"inputs": []}]
    for body in bodies:
        assert rpc.predict({field: json.dumps(body).encode()}) == served.ask(body).json()
    assert rpc.predict({field: json.dumps({"user_id": user, "top_k": 1}).encode()}, version="1.0")["user_id"] == user


def test_grpc_errors_are_reported_and_end_no_worker(served: Project, rpc: GrpcClient) -> None:
    before = workers(served)
    for fields in ({}, {"body": b""}, {"a": b"{}", "b": b"{}"}, {"data": b"\xff"}):
        answer = rpc.predict(fields)
        assert (answer["code"], answer["type"]) == (400, "InvalidRequest")
    assert rpc.predict({"body": b'"' + b"a" * 5_000_000 + b'"'})["code"] == 413
    for model, version, words in (("nope", "", "Model not found"), ("ncf", "9", "9 does not exist"), ("", "", "name")):
        with pytest.raises(grpc.RpcError, match=words):
            rpc.predict({"body": b"{}"}, model, version)
    assert rpc.stream({"body": b'{"user_id": 1, "movie_id": 2}'})[0]["user_id"] == 1
    assert rpc.stream({"body": b"{"})[0]["code"] == 400
    assert workers(served) == before


PAIR = '{"user_id": 1, "movie_id": 2}'


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["-d", PAIR], 400, "it was sent as form data: with curl -d add -H 'Content-Type: application/json'"),
        (["-d", "user_id=1&movie_id=2"], 400, "it was sent as form data"),
        (["-d", f"body={PAIR}"], 200, '"rating"'),
        (["-T", "pair.json"], 200, '"rating"'),
        (["-X", "POST", "-T", "pair.json"], 200, '"rating"'),
        (["-F", "data=@pair.json"], 200, '"rating"'),
        (["-F", "file=@pair.json;type=application/json"], 200, '"rating"'),
        (["-F", f"body={PAIR}"], 200, '"rating"'),
        (["-F", "a=1", "-F", "b=2"], 400, "body: none found"),
        (["-H", "content-type: text/plain", "-d", PAIR], 200, '"rating"'),
        (["-H", "content-type: text/plain", "-d", "7, 8"], 400, "body: not valid JSON"),
        (["-H", "content-type: multipart/form-data; boundary=x", "-d", PAIR], 400, "body: none found"),
        (["-H", "content-type: application/json", "-H", "transfer-encoding: chunked", "-d", PAIR], 200, '"rating"'),
        (["-X", "POST"], 400, "body: empty"),
        ([], 400, "body: empty"),
    ],
)
def test_every_transfer_encoding_is_accepted_or_refused(
    either: Project, tmp_path: Path, arguments: list[str], status: int, says: str
) -> None:
    (tmp_path / "pair.json").write_text(PAIR)
    command = ["curl", "-s", "-m", "20", "-w", "\n%{http_code}", f"{either.settings.inference}/predictions/ncf"]
    done = subprocess.run([*command, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True)
    body, code = done.stdout.rsplit("\n", 1)
    assert (int(code), says in body) == (status, True), body
    assert json.loads(body).get("code", 200) == status


def test_malformed_form_data_is_refused(served: Project, served_by_asgi: Project) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert post(served, "/predictions/ncf", b"a=50%", **form).status_code == 500  # the front end's own answer
    assert post(served_by_asgi, "/predictions/ncf", b"a=50%", **form).status_code == 400


@pytest.mark.usefixtures("same_workers")
def test_requests_that_could_end_a_worker_are_refused(either: Project) -> None:
    instances = {"instances": [0] * 100_000}
    assert post(either, "/predictions/ncf", instances).json()["message"].startswith("answer: ")
    assert post(either, "/explanations/ncf", instances).status_code == 413
    for name, value in (("describe", "True"), ("ts_stream_next", "true"), ("explain", "True")):
        assert post(either, "/predictions/ncf", json.loads(PAIR), **{name: value}).json()["user_id"] == 1
    length = {"Inference-Header-Content-Length": "0" * 5000}
    assert post(either, "/predictions/ncf", json.loads(PAIR), **length).status_code == 400


def test_answers_match_the_schema_of_describe(either: Project, ids: tuple[list[int], list[int]]) -> None:
    schema = either.client.describe()["schema"]
    request, answer = (Draft202012Validator(schema[name]) for name in ("request", "answer"))
    user, movies = ids[0][0], ids[1]
    for body in (json.loads(PAIR), {"user_id": user, "movie_ids": movies}, {"user_id": user, "top_k": 9}):
        assert request.is_valid(body)
        assert answer.is_valid(either.ask(body).json())
    assert answer.is_valid(either.ask({"user_id": "x"}).json())
    assert answer.is_valid(post(either, "/explanations/ncf", {"user_id": user, "movie_id": movies[0]}).json())


@pytest.mark.usefixtures("same_workers")
def test_simultaneous_requests_get_the_same_answers_as_single_ones(
    either: Project, ids: tuple[list[int], list[int]], rpc: GrpcClient
) -> None:
    user, movie = ids[0][0], ids[1][0]
    pair = {"user_id": user, "movie_id": movie}
    calls: list[Callable[[], Any]] = [
        lambda: either.ask(pair).json(),
        lambda: either.ask({"user_id": STRANGER, "top_k": 5}).json(),
        lambda: either.ask({"instances": [pair, {"user_id": []}]}).json(),
        lambda: either.ask(b"{").json(),
        lambda: either.ask(b"[" * 10_000).json(),
        lambda: post(either, "/explanations/ncf", pair).json(),
        lambda: post(either, "/v1/models/ncf:predict", {"instances": [pair] * 50}).json(),
        lambda: ask_triton(either, *ids, request_id="a").get_response()["parameters"],
        lambda: ask_triton(either, *ids, outputs=["rating"]).as_numpy("rating").tolist(),
    ]
    if either.settings.server == TORCHSERVE:
        calls += [
            lambda: rpc.predict({"data": json.dumps(pair).encode()}),
            lambda: rpc.predict({"body": b'{"user_id": null}'}),
            lambda: rpc.stream({"body": json.dumps(pair).encode()}),
        ]
    alone = [call() for call in calls]
    with ThreadPoolExecutor(24) as pool:
        together = list(pool.map(lambda call: call(), calls * 20))
    for place, answer in enumerate(together):
        assert_close(answer, alone[place % len(calls)])


def assert_close(one: Any, other: Any) -> None:
    """Equal, except for the last digits of a rating."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        one, other = list(one.values()), list(other.values())
    if isinstance(one, list):
        assert len(one) == len(other)
        for value, beside in zip(one, other, strict=True):
            assert_close(value, beside)
    elif isinstance(one, float):
        assert one == pytest.approx(other, abs=1e-5)
    else:
        assert one == other
