"""The protocols of the servers: a dialect turns plain asks into bodies, and an answer's bytes into numbers."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

Ask = Mapping[str, Any]
# The ratings (B,) in an answer, and the raw ids of their movies if the ask was for the best movies.
Answer = tuple[list[float], list[int] | None]
_LENGTH = "Inference-Header-Content-Length"
_INT64, _FP32 = np.dtype("<i8"), np.dtype("<f4")


@dataclass(frozen=True)
class Dialect:
    """`write` makes an ask's body; `read` takes an answer's head, in lower case, and its body."""

    path: str
    write: Callable[[Ask], bytes]
    read: Callable[[bytes, bytes], Answer]
    headers: Callable[[bytes], dict[str, str]] = field(default=lambda _: {})

    def sent(self, server: str, asks: Sequence[Ask]) -> tuple[str, list[bytes], dict[str, str]]:
        """What a generator sends to the server at the URL `server`: the whole URL, the bodies, and their headers."""
        bodies = [self.write(ask) for ask in asks]
        return server + self.path, bodies, self.headers(bodies[0])


def plain(path: str, **fields: str) -> Dialect:
    """JSON with the ask's own fields and these, answered with `rating` or `recommendations`."""
    return Dialect(path, lambda ask: orjson.dumps({**ask, **fields}), lambda _, body: _read_plain(orjson.loads(body)))


def tensors(path: str, rank: int) -> Dialect:
    """JSON of the Open Inference Protocol (v2): a column for each field, of shape [n] (rank 1) or [n, 1] (rank 2)."""
    return Dialect(path, lambda ask: orjson.dumps({"inputs": _columns(ask, rank)}), _read_tensors)


def binary_tensors(path: str, rank: int) -> Dialect:
    """The same protocol with raw tensors: the bytes of the columns follow the JSON, in requests and answers."""

    def write(ask: Ask) -> bytes:
        inputs = _columns(ask, rank)
        data = [np.asarray(column.pop("data"), dtype=_INT64).tobytes() for column in inputs]
        for column, raw in zip(inputs, data, strict=True):
            column["parameters"] = {"binary_data_size": len(raw)}
        head = orjson.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}})
        return head + b"".join(data)

    return Dialect(path, write, _read_binary, lambda body: {_LENGTH: str(_head_length(body))})


def _columns(ask: Ask, rank: int) -> list[dict[str, Any]]:
    columns = {name: value if isinstance(value, list) else [value] for name, value in ask.items()}
    return [
        {"name": name, "shape": [len(data), 1][:rank], "datatype": "INT64", "data": data}
        for name, data in columns.items()
    ]


def _head_length(body: bytes) -> int:
    """The length of the JSON, which ends with the parameter that `binary_tensors` writes last."""
    mark = b'{"binary_data_output":true}}'
    return body.index(mark) + len(mark)


def _read_plain(answer: Any) -> Answer:
    if "recommendations" in answer:
        lines = answer["recommendations"]
        return [line["rating"] for line in lines], [line["movie_id"] for line in lines]
    rating = answer["rating"]
    return (rating if isinstance(rating, list) else [rating]), None


def _read_tensors(_: bytes, body: bytes) -> Answer:
    outputs = {output["name"]: np.ravel(output["data"]).tolist() for output in orjson.loads(body)["outputs"]}
    return outputs["rating"], outputs.get("movie_id")


def _read_binary(head: bytes, body: bytes) -> Answer:
    _, found, rest = head.partition(_LENGTH.lower().encode() + b":")
    if not found:
        raise ValueError(f"expected raw tensors, got {body[:100]!r}")
    length = int(rest.split(b"\r\n", 1)[0])
    [output] = orjson.loads(body[:length])["outputs"]
    size = output["parameters"]["binary_data_size"]
    number = struct.calcsize("f")
    assert size % number == 0
    return np.frombuffer(body[length : length + size], _FP32).tolist(), None
