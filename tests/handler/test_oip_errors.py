"""Errors of columns say what was got, what is allowed, and where."""

from collections.abc import Callable
from typing import Any

import pytest

from handler.oip_codec import HEADER_LENGTH
from model.artifact import Artifact
from tests.handler.bodies import raw_bytes
from tests.handler.columns import USERS, ask, body, raw, tensor
from tests.handler.conftest import Worker

Make = Callable[..., Worker]
INTEGERS = "allowed: INT64, INT32, INT16, INT8, UINT32, UINT16, UINT8, BYTES"
OUTPUTS = "allowed: rating, user_known, movie_known, once each"


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (body(extra=1), '"extra": no such field here, allowed: id, inputs, model_name, model_version, outputs,'),
        (body(id=7), "id: expected a string, got 7"),
        (body(parameters=3), "parameters: expected an object, got 3"),
        (body(parameters={"binary_data_output": 1}), "parameters.binary_data_output: expected true or false, got 1"),
        ({"inputs": {}}, "inputs: expected an array, got an object"),
        ({"inputs": []}, "inputs: user_id: missing"),
        ({"inputs": [tensor("user_id", USERS)]}, "inputs: movie_id: missing"),
        ({"inputs": [3]}, "inputs[0]: expected an object, got 3"),
        (body(tensor("item", USERS)), 'inputs[0].name: got "item", expected user_id and movie_id, once each'),
        (body(tensor("user_id", USERS) | {"name": []}), "inputs[0].name: got an array, expected"),
        (body(movie=tensor("user_id", USERS)), 'inputs[1].name: got "user_id", expected user_id and movie_id, once'),
        (body(tensor("user_id", USERS, shape=None)), "inputs[0].shape: expected an array, got null"),
        (body(tensor("user_id", USERS, shape=[])), "inputs[0].shape: expected [n] or [n, 1], got []"),
        (body(tensor("user_id", USERS, shape=[1, 3])), "inputs[0].shape: expected [n] or [n, 1], got [1, 3]"),
        (body(tensor("user_id", USERS, shape=[-3])), "inputs[0].shape: expected [n] or [n, 1], got [-3]"),
        (body(tensor("user_id", USERS, shape=[3, True])), "inputs[0].shape: expected [n] or [n, 1], got [3, true]"),
        (body(tensor("user_id", USERS, shape=[3.0])), "inputs[0].shape: expected [n] or [n, 1], got [3.0]"),
        (
            body(tensor("user_id", USERS, shape=["é" * 60, [], {}, 1])),
            'inputs[0].shape: expected [n] or [n, 1], got ["' + "\\u00e9" * 9 + "\\u00e..., an array, an object, ...]",
        ),
        (body(tensor("user_id", USERS, datatype="FP32")), f'inputs[0].datatype: got "FP32", {INTEGERS}'),
        (body(tensor("user_id", USERS, datatype="BOOL")), f'inputs[0].datatype: got "BOOL", {INTEGERS}'),
        (body(tensor("user_id", USERS, datatype=[1])), f"inputs[0].datatype: got an array, {INTEGERS}"),
        (body(tensor("user_id", None)), "inputs[0].data: expected an array, got null"),
        (body(tensor("user_id", [1, 2])), "inputs[0].data: 2 elements, the shape says 3"),
        (body(tensor("user_id", [1, 2, "7.0"])), 'inputs[0].data[2]: expected an integer, got "7.0"'),
        (body(tensor("user_id", [1, 2.0, 3])), "inputs[0].data[1]: expected an integer, got 2.0"),
        (body(tensor("user_id", [[1], 2, 3])), "inputs[0].data: expected an array, got 2"),
        (body(tensor("user_id", [1, [2], 3])), "inputs[0].data[1]: expected an integer, got an array"),
        (
            body(tensor("user_id", [1], shape=[1])),
            "inputs: user_id has 1 entry, movie_id 3; expected the same number",
        ),
        (body(outputs={}), "outputs: expected an array, got an object"),
        (body(outputs=["rating"]), 'outputs[0]: expected an object, got "rating"'),
        (body(outputs=[{"name": "score"}]), f'outputs[0].name: got "score", {OUTPUTS}'),
        (body(outputs=[{"name": "rating"}] * 2), f'outputs[1].name: got "rating", {OUTPUTS}'),
        (body(outputs=[{"name": "rating", "parameters": []}]), "outputs[0].parameters: expected an object"),
        (
            body(outputs=[{"name": "rating", "parameters": {"binary_data": 1}}]),
            "outputs[0].parameters.binary_data: expected true or false, got 1",
        ),
        (body(tensor("user_id", USERS, parameters=3)), "inputs[0].parameters: expected an object, got 3"),
        (body(raw("user_id", b"") | {"data": USERS}), "inputs[0]: both data and binary_data_size, expected one of"),
    ],
)
def test_error_says_what_was_got_where_and_what_is_allowed(worker: Make, sent: dict[str, Any], message: str) -> None:
    got = ask(worker(), sent)
    assert (got.status, got.json["code"], got.json["type"]) == (400, 400, "InvalidRequest")
    assert got.json["message"].startswith(message)


RAW = body(raw("user_id", bytes(24)), raw("movie_id", bytes(24)))


def sized(size: Any) -> dict[str, Any]:
    return body(raw("user_id", b"", parameters={"binary_data_size": size}), raw("movie_id", bytes(24)))


@pytest.mark.parametrize(
    ("sent", "tail", "length", "message"),
    [
        (RAW, bytes(47), None, "inputs[1].parameters.binary_data_size: got 24, 23 bytes are left"),
        (RAW, bytes(49), None, "body: 1 byte after the last tensor"),
        (sized(-1), bytes(48), None, "inputs[0].parameters.binary_data_size: got -1, 48 bytes are left"),
        (sized("0"), bytes(48), None, 'inputs[0].parameters.binary_data_size: got "0", 48 bytes are left'),
        (sized(None), bytes(24), None, "inputs[0].data: expected an array, got null"),
        (sized(23), bytes(47), None, "inputs[0]: 23 bytes, the shape says 24"),
        (RAW, bytes(48), "9999", f'{HEADER_LENGTH}: got "9999", expected 0 to '),
        (RAW, bytes(48), "-1", f'{HEADER_LENGTH}: got "-1", expected 0 to '),
        (RAW, bytes(48), "٣", f'{HEADER_LENGTH}: got "\\u0663", expected 0 to '),
        (RAW, bytes(48), "0" * 5000, f'{HEADER_LENGTH}: got "0000'),
        (RAW, bytes(48), "5", "body: not valid JSON"),
    ],
)
def test_error_says_which_raw_bytes_do_not_fit(
    worker: Make, sent: dict[str, Any], tail: bytes, length: str | None, message: str
) -> None:
    got = ask(worker(), sent, tail, length)
    assert got.status == 400
    assert got.json["message"].startswith(message)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (raw_bytes(["bob", "eve"]), "inputs[0]: 2 strings, the shape says 3"),
        (raw_bytes(["bob", "eve", "ann"]) + b"\0", "inputs[0]: the bytes end within a length"),
        (raw_bytes(["bob", "eve", "ann"])[:-1], "inputs[0]: 3 strings, the last of them cut off"),
        (b"\xff\xff\xff\xffabc", "inputs[0]: 1 string, the last of them cut off"),
        (raw_bytes(["bob", "eve"]) + b"\1\0\0\0\xff", "inputs[0]: a string is not UTF-8"),
    ],
)
def test_error_says_which_strings_do_not_fit(
    worker: Make, string_artifact: Artifact, data: bytes, message: str
) -> None:
    movies = raw_bytes(["a b"] * 3)
    sent = body(raw("user_id", data, datatype="BYTES"), raw("movie_id", movies, datatype="BYTES"))
    got = ask(worker(string_artifact), sent, data + movies)
    assert (got.status, got.json["message"]) == (400, message)


@pytest.mark.parametrize(
    "sent",
    [
        body(parameters={"priority": [[[[1]]]]}),
        body(model_name=[[[[[1]]]]]),
        body(tensor("user_id", USERS, parameters={"content_type": [[1]]})),
        body(tensor("user_id", USERS, note=[[[1]]])),
        body(outputs=[{"name": "rating", "parameters": {"note": [[1]]}}]),
        body(parameters={"binary_data_output": [[[[1]]]]}),
    ],
)
def test_deeply_nested_fields_that_nobody_reads_get_413(worker: Make, sent: dict[str, Any]) -> None:
    got = ask(worker(max_depth=5), sent)
    assert (got.status, got.json["message"]) == (413, "body: JSON nested deeper than 5 levels")
    read = body(tensor("user_id", [[one] for one in USERS], shape=[3, 1], parameters={"note": [1]}))
    assert ask(worker(max_depth=5), read).status == 200
