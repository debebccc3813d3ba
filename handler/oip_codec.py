"""Columns of pairs, as the Open Inference Protocol (KServe and Triton, version 2) has them.

There are two input tensors, `user_id` and `movie_id`, of shape [n] or [n, 1]; and one output tensor, `rating` (FP32). A
client may ask for the output tensors `user_known` and `movie_known` (BOOL) too. Tensors are JSON, or raw bytes after
the JSON (the binary tensor data extension): the header Inference-Header-Content-Length then says how long the JSON is.
https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import orjson

from handler.body import without_nulls
from handler.errors import RequestError, allow_fields, expect_list, shown, too_large
from handler.request import DecodedRequest, Response
from handler.settings import HandlerSettings
from handler.tensors import read_binary, read_json
from handler.unknown_ids import unknown_ids_error
from model.asks import Answer, ColumnsAnswer, ColumnsAsk, ServedModel
from model.ids import IdMap
from model.vocabulary import ITEM_ID, Vocabulary, counted

HEADER_LENGTH = "Inference-Header-Content-Length"
_BODY_FIELDS = frozenset({"id", "parameters", "inputs", "outputs", "model_name", "model_version"})


def output_datatypes(words: Vocabulary) -> dict[str, str]:
    """The output tensors and the types of their elements."""
    return {"rating": "FP32", "user_known": "BOOL", words.item_known: "BOOL"}


class OipCodec:
    """Decodes and encodes tensors for one model and version."""

    def __init__(self, model: ServedModel, settings: HandlerSettings, model_name: str, model_version: str) -> None:
        self._movie_id = model.words.item_id
        self._ids: dict[str, IdMap] = {"user_id": model.user_ids, self._movie_id: model.movie_ids}
        self._outputs = output_datatypes(model.words)
        self._settings = settings
        self._head = {"model_name": model_name, "model_version": model_version}

    def decode_tensors(self, body: dict[str, Any], tail: bytes | memoryview, has_headers: bool) -> DecodedRequest:
        """The JSON part and the raw bytes after it -> one ask of n pairs.

        Raises:
            RequestError: a tensor is missing, or its type, shape or size is not what it says.
        """
        allow_fields(body, _BODY_FIELDS, "")
        parameters = _object(body.get("parameters", {}), "parameters")
        request_id = body.get("id")
        if request_id is not None and not isinstance(request_id, str):
            raise RequestError(f"id: expected a string, got {shown(request_id)}")
        outputs = self._wanted(body, parameters)
        if not has_headers and any(outputs.values()):
            raise RequestError("outputs: no raw bytes over gRPC, whose answers have no header to tell where they begin")
        columns = self._columns(body, tail)
        if len(columns.user_ids) != len(columns.movie_ids):
            sizes = f"user_id has {counted(len(columns.user_ids), 'entry')}, {self._movie_id} {len(columns.movie_ids)}"
            raise RequestError(f"inputs: {sizes}; expected the same number")
        return DecodedRequest("columns", [columns], partial(self._encode, columns, request_id, outputs))

    def _columns(self, body: Mapping[str, Any], tail: bytes | memoryview) -> ColumnsAsk:
        found: dict[str, Any] = {}
        start = 0
        for number, tensor in enumerate(expect_list(body["inputs"], "inputs")):
            where = f"inputs[{number}]"
            tensor = _object(tensor, where)
            name = tensor.get("name")
            name = self._movie_id if name == ITEM_ID else name
            if name not in tuple(self._ids) or name in found:
                allowed = f"expected user_id and {self._movie_id}, once each"
                raise RequestError(f"{where}.name: got {shown(name)}, {allowed}")
            size = self._size(tensor, where)
            parameters = _object(tensor.get("parameters", {}), f"{where}.parameters")
            if "binary_data_size" not in parameters:
                found[name] = read_json(tensor, size, self._ids[name], where)
                continue
            raw_bytes = parameters["binary_data_size"]
            if "data" in tensor:
                raise RequestError(f"{where}: both data and binary_data_size, expected one of them")
            if type(raw_bytes) is not int or not 0 <= raw_bytes <= len(tail) - start:
                left = counted(len(tail) - start, "byte is", "bytes are")
                raise RequestError(f"{where}.parameters.binary_data_size: got {shown(raw_bytes)}, {left} left")
            found[name] = read_binary(tensor, size, self._ids[name], tail[start : start + raw_bytes], where)
            start += raw_bytes
        for name in self._ids:
            if name not in found:
                raise RequestError(f"inputs: {name}: missing")
        if start != len(tail):
            raise RequestError(f"body: {counted(len(tail) - start, 'byte')} after the last tensor")
        return ColumnsAsk(found["user_id"], found[self._movie_id])

    def _size(self, tensor: Mapping[str, Any], where: str) -> int:
        shape = expect_list(tensor.get("shape"), f"{where}.shape")
        good = len(shape) in (1, 2) and all(type(n) is int and n >= 0 for n in shape) and shape[1:] in ([], [1])
        if not good:
            got = ", ".join([shown(n) for n in shape[:3]] + ["..."] * (len(shape) > 3))
            raise RequestError(f"{where}.shape: expected [n] or [n, 1], got [{got}]")
        if shape[0] > self._settings.max_pairs:
            raise too_large(where, shape[0], "entries", self._settings.max_pairs)
        return int(shape[0])

    def _wanted(self, body: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, bool]:
        """The wanted outputs: name -> whether as raw bytes."""
        binary = _flag(parameters, "binary_data_output", False, "parameters")
        if "outputs" not in body:
            return {"rating": binary}
        wanted: dict[str, bool] = {}
        for number, output in enumerate(expect_list(body["outputs"], "outputs")):
            where = f"outputs[{number}]"
            output = _object(output, where)
            name = output.get("name")
            if name not in tuple(self._outputs) or name in wanted:
                allowed = f"allowed: {', '.join(self._outputs)}, once each"
                raise RequestError(f"{where}.name: got {shown(name)}, {allowed}")
            own = _object(output.get("parameters", {}), f"{where}.parameters")
            wanted[name] = _flag(own, "binary_data", binary, f"{where}.parameters")
        return wanted

    def _encode(
        self, ask: ColumnsAsk, request_id: str | None, outputs: Mapping[str, bool], answers: Sequence[Answer]
    ) -> Response:
        [answer] = answers
        assert isinstance(answer, ColumnsAnswer)
        head: dict[str, Any] = dict(self._head)
        if request_id is not None:
            head["id"] = request_id
        if unknown := self._count_unknown(ask, answer):
            head["parameters"] = unknown
        ratings = answer.ratings.astype(np.float32)
        columns = dict(zip(self._outputs, (ratings, answer.users_known, answer.movies_known), strict=True))
        head["outputs"] = []
        tail = b""
        for name, binary in outputs.items():
            values = columns[name]
            tensor: dict[str, Any] = {"name": name, "datatype": self._outputs[name], "shape": [len(values)]}
            if binary:
                raw = values.tobytes()
                tensor["parameters"] = {"binary_data_size": len(raw)}
                tail += raw
            else:
                tensor["data"] = values
            head["outputs"].append(tensor)
        text = orjson.dumps(head, option=orjson.OPT_SERIALIZE_NUMPY)
        if not any(outputs.values()):
            return Response(text)
        headers = {"content-type": "application/octet-stream", HEADER_LENGTH: str(len(text))}
        return Response(text + tail, 200, headers)

    def _count_unknown(self, ask: ColumnsAsk, answer: ColumnsAnswer) -> dict[str, int]:
        """How many ids of either column the model does not know.

        Raises:
            RequestError: the policy refuses unknown ids.
        """
        columns = zip(self._ids, ask, (answer.users_known, answer.movies_known), strict=True)
        counts = {}
        for name, ids, known in columns:
            if known.all():
                continue
            unknown = np.flatnonzero(~known)
            if self._settings.unknown == "error":
                first = ids[unknown[0]]
                raise unknown_ids_error(f"{name} {shown(first if isinstance(first, str) else int(first))}")
            counts[f"unknown_{name}"] = len(unknown)
        return counts


def without_data(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body without the tensors' elements: the parameters, and the fields that nobody reads, in any shape."""
    tensors = [{name: value for name, value in tensor.items() if name != "data"} for tensor in body["inputs"]]
    return {**body, "inputs": tensors}


def _object(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RequestError(f"{where}: expected an object, got {shown(value)}")
    return without_nulls(value)


def _flag(parameters: Mapping[str, Any], name: str, default: bool, where: str) -> bool:
    value = parameters.get(name, default)
    if type(value) is not bool:
        raise RequestError(f"{where}.{name}: expected true or false, got {shown(value)}")
    return value
