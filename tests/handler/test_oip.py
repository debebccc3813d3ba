"""Columns of pairs, as the Open Inference Protocol (version 2) has them."""

import json
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton

from handler.oip_codec import HEADER_LENGTH
from model.artifact import Artifact
from model.asks import ColumnsAnswer, ColumnsAsk
from model.predictor import Predictor
from tests.handler.bodies import raw_bytes
from tests.handler.columns import MOVIES, USERS, ask, body, raw, tensor
from tests.handler.conftest import HTTP, Worker

Make = Callable[..., Worker]


def expected(artifact: Artifact, users: Any = USERS, movies: Any = MOVIES) -> Any:
    [answer] = Predictor(artifact).answer([ColumnsAsk(users, movies)])
    assert isinstance(answer, ColumnsAnswer)
    return pytest.approx(answer.ratings.tolist(), abs=1e-5)


@pytest.mark.parametrize(
    ("user", "movie"),
    [
        ({}, {}),
        ({"shape": [3, 1]}, {"shape": [3, 1]}),
        ({"shape": [3, 1], "data": [[u] for u in USERS]}, {}),
        ({"data": [USERS[:2], USERS[2:]]}, {}),
        ({"datatype": "INT32"}, {}),
        ({"datatype": "UINT16"}, {"datatype": "INT8"}),
        ({"parameters": {}}, {"parameters": {"content_type": "x"}}),
    ],
)
def test_tensors_of_every_shape_and_integer_type_are_read(
    worker: Make, artifact: Artifact, user: dict[str, Any], movie: dict[str, Any]
) -> None:
    got = ask(worker(), body(tensor("user_id", USERS) | user, tensor("movie_id", MOVIES) | movie))
    assert got.status == 200
    assert got.json["outputs"] == [
        {"name": "rating", "datatype": "FP32", "shape": [3], "data": expected(artifact)},
    ]


def test_answer_holds_model_version_id_and_number_of_unknown_ids(worker: Make) -> None:
    got = ask(worker(), body(id="seven é", model_name="x", model_version="y", parameters={"priority": 1}))
    assert (got.json["model_name"], got.json["model_version"], got.json["id"]) == ("ncf", "1.0", "seven é")
    assert got.json["parameters"] == {"unknown_user_id": 1}
    silent = ask(worker(), body(tensor("user_id", [7, 7, 7]), id=None)).json
    assert silent.keys() == {"model_name", "model_version", "outputs"}
    strangers = body(tensor("user_id", [1, 2, 2**63 - 1]), tensor("movie_id", [1, 3, -(2**63)]))
    assert ask(worker(), strangers).json["parameters"] == {"unknown_user_id": 3, "unknown_movie_id": 2}


def test_answer_holds_the_requested_outputs_in_order(worker: Make, artifact: Artifact) -> None:
    wanted = [{"name": "movie_known"}, {"name": "rating"}, {"name": "user_known"}]
    movies, ratings, users = ask(worker(), body(outputs=wanted)).json["outputs"]
    assert movies == {"name": "movie_known", "datatype": "BOOL", "shape": [3], "data": [True, True, True]}
    assert ratings["data"] == expected(artifact)
    assert users["data"] == [True, False, True]
    assert ask(worker(), body(outputs=[])).json["outputs"] == []


def test_empty_columns_get_an_empty_answer(worker: Make) -> None:
    empty = body(tensor("user_id", [], shape=[0]), tensor("movie_id", [], shape=[0, 1]))
    assert ask(worker(), empty).json["outputs"][0] == {"name": "rating", "datatype": "FP32", "shape": [0], "data": []}


@pytest.mark.parametrize(("datatype", "code"), [("INT64", "<q"), ("INT32", "<i"), ("UINT16", "<H")])
def test_raw_bytes_are_read_and_written(worker: Make, artifact: Artifact, datatype: str, code: str) -> None:
    users = b"".join(struct.pack(code, user) for user in USERS)
    movies = raw_bytes(MOVIES)
    wanted = [
        {"name": "user_known", "parameters": {"binary_data": True}},
        {"name": "movie_known", "parameters": {"binary_data": False}},
        {"name": "rating"},
    ]
    sent = body(raw("user_id", users, datatype=datatype), raw("movie_id", movies), outputs=wanted)
    got = ask(worker(), sent | {"parameters": {"binary_data_output": True}}, users + movies)
    assert got.status == 200
    assert got.headers["content-type"] == "application/octet-stream"
    known, movie_known, rating = got.json["outputs"]
    assert (known["parameters"], rating["parameters"]) == ({"binary_data_size": 3}, {"binary_data_size": 12})
    assert movie_known["data"] == [True, True, True]
    assert np.frombuffer(got.tensors[:3], "?").tolist() == [True, False, True]
    assert np.frombuffer(got.tensors[3:], "<f4").tolist() == expected(artifact)


def test_string_ids_are_sent_as_bytes(worker: Make, string_artifact: Artifact) -> None:
    served, users, movies = worker(string_artifact), ["zoë", "", "bob"], ["0002844", "2844\0", "a b"]
    user, movie = tensor("user_id", users, datatype="BYTES"), tensor("movie_id", movies, datatype="BYTES")
    got = ask(served, body(user, movie))
    assert got.json["outputs"][0]["data"] == expected(string_artifact, users, movies)
    assert got.json["parameters"] == {"unknown_user_id": 1, "unknown_movie_id": 1}
    tail = raw_bytes(users) + raw_bytes(movies)
    binary = body(
        raw("user_id", raw_bytes(users), datatype="BYTES"), raw("movie_id", raw_bytes(movies), datatype="BYTES")
    )
    assert ask(served, binary, tail).json == got.json


@pytest.mark.parametrize("raw", [True, False])
def test_strings_of_a_triton_client_are_read(worker: Make, string_artifact: Artifact, raw: bool) -> None:
    inputs, columns = [], (["zoë", "nobody"], ["a b", "0002844"])
    for name, values in zip(("user_id", "movie_id"), columns, strict=True):
        tensor = triton.InferInput(name, [2, 1], "BYTES")
        tensor.set_data_from_numpy(np.array(values, dtype=object).reshape(2, 1), binary_data=raw)
        inputs.append(tensor)
    sent, length = triton.InferenceServerClient.generate_request_body(inputs, request_id="7")
    headers = HTTP if length is None else {**HTTP, HEADER_LENGTH: str(length)}
    [got] = worker(string_artifact).replies({"body": sent}, headers=headers)
    result = triton.InferenceServerClient.parse_response_body(got.body, header_length=int(got.headers[HEADER_LENGTH]))
    assert (got.status, result.get_response()["id"]) == (200, "7")
    assert result.as_numpy("rating").tolist() == expected(string_artifact, *columns)


def test_unknown_id_in_columns_gets_404_under_the_policy_error(worker: Make, string_artifact: Artifact) -> None:
    got = ask(worker(unknown="error"), body())
    assert (got.status, got.json["type"]) == (404, "UnknownId")
    assert got.json["message"] == "user_id 1: not in the training data"
    named = body(
        tensor("user_id", ["bob"], datatype="BYTES", shape=[1]), tensor("movie_id", ["é"], datatype="BYTES", shape=[1])
    )
    got = ask(worker(string_artifact, unknown="error"), named)
    assert got.json["message"] == 'movie_id "\\u00e9": not in the training data'


def test_columns_reject_explanations_and_raw_bytes_over_grpc(worker: Make) -> None:
    served = worker()
    [reply] = served.replies({"body": json.dumps(body()).encode()}, headers={"explain": "True"})
    assert reply.json["message"].startswith("inputs: columns have no explanations")
    wanted = body(parameters={"binary_data_output": True})
    [reply] = served.replies({"body": json.dumps(wanted).encode()}, headers={})
    assert reply.json["message"].startswith("outputs: no raw bytes over gRPC")


def test_each_request_of_a_batch_keeps_its_own_id_outputs_and_error(worker: Make) -> None:
    served = worker()
    bodies = [body(id="a"), body(tensor("user_id", USERS, shape=[2])), body(id="b", outputs=[{"name": "user_known"}])]
    together = served.ask(*bodies)
    assert [status for status, _ in together] == [200, 400, 200]
    assert together == [served.ask(one)[0] for one in bodies]
