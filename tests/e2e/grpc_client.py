"""A client of TorchServe's gRPC inference service. It builds messages at run time, because the wheel has no stubs."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

import grpc
import orjson
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_PACKAGE = "org.pytorch.serve.grpc.inference"
_SERVICE = f"/{_PACKAGE}.InferenceAPIsService"
_TIMEOUT_S = 120
_FIELD = descriptor_pb2.FieldDescriptorProto


class GrpcClient:
    """Calls `Predictions` and `StreamPredictions`; every answer is JSON."""

    def __init__(self, address: str, token: str | None = None) -> None:
        self._channel = grpc.insecure_channel(address)
        self._metadata = [("authorization", f"Bearer {token}")] if token else []
        self._request, response = _messages()
        options = {"request_serializer": self._request.SerializeToString, "response_deserializer": response.FromString}
        self._predictions = self._channel.unary_unary(f"{_SERVICE}/Predictions", **options)
        self._stream = self._channel.unary_stream(f"{_SERVICE}/StreamPredictions", **options)

    def predict(self, fields: Mapping[str, bytes], model: str = "ncf", version: str = "") -> Any:
        """The answer to one call.

        Raises:
            grpc.RpcError: TorchServe refused it, or there was no answer in time.
        """
        request = self._request(model_name=model, model_version=version, input=fields)
        return orjson.loads(self._predictions(request, timeout=_TIMEOUT_S, metadata=self._metadata).prediction)

    def stream(self, fields: Mapping[str, bytes]) -> list[Any]:
        """All answers of a streaming call."""
        request = self._request(model_name="ncf", input=fields)
        return [
            orjson.loads(answer.prediction)
            for answer in self._stream(request, timeout=_TIMEOUT_S, metadata=self._metadata)
        ]

    def __enter__(self) -> GrpcClient:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._channel.close()


def _messages() -> tuple[Any, Any]:
    """PredictionsRequest {model_name = 1, model_version = 2, map input = 3}, PredictionResponse {prediction = 1}."""
    file = descriptor_pb2.FileDescriptorProto(name="inference.proto", package=_PACKAGE, syntax="proto3")
    request = file.message_type.add(name="PredictionsRequest")
    _add(request, 1, "model_name", _FIELD.TYPE_STRING)
    _add(request, 2, "model_version", _FIELD.TYPE_STRING)
    entry = request.nested_type.add(name="InputEntry", options={"map_entry": True})
    _add(entry, 1, "key", _FIELD.TYPE_STRING)
    _add(entry, 2, "value", _FIELD.TYPE_BYTES)
    field = _add(request, 3, "input", _FIELD.TYPE_MESSAGE)
    field.label, field.type_name = _FIELD.LABEL_REPEATED, f".{_PACKAGE}.PredictionsRequest.InputEntry"
    _add(file.message_type.add(name="PredictionResponse"), 1, "prediction", _FIELD.TYPE_BYTES)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    found = (pool.FindMessageTypeByName(f"{_PACKAGE}.{name}") for name in ("PredictionsRequest", "PredictionResponse"))
    first, second = map(message_factory.GetMessageClass, found)
    return first, second


def _add(message: Any, number: int, name: str, kind: int) -> Any:
    return message.field.add(name=name, number=number, type=kind, label=_FIELD.LABEL_OPTIONAL)
