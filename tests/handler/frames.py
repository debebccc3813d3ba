"""Plays TorchServe's front end without the JVM: sends frames to a real Service and reads its frames."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import orjson
from ts.protocol import otf_message_handler
from ts.service import Service

from handler.oip_codec import HEADER_LENGTH

_INT = struct.Struct("!i")
_END = _INT.pack(-1)


class Sent(NamedTuple):
    """One client's request as the front end passes it on: parameters (name, content type, value), and headers."""

    parameters: Sequence[tuple[str, str, bytes]]
    headers: Mapping[str, str]


class Got(NamedTuple):
    """What one client gets. `tensors` are the raw bytes after the JSON, if the headers say that there are any."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body[: int(self.headers.get(HEADER_LENGTH, len(self.body)))])

    @property
    def tensors(self) -> bytes:
        return self.body[int(self.headers.get(HEADER_LENGTH, len(self.body))) :]


class Connection:
    """A socket from which all bytes can be read; long reads come in pieces, which end at `cuts` too."""

    def __init__(self, data: bytes, cuts: Iterable[int] = ()) -> None:
        edges = sorted({*range(0, len(data), 8192), *cuts, len(data)})
        self._pieces = [data[start:end] for start, end in reversed([*pairwise(edges)])]

    def recv(self, size: int) -> bytes:
        piece = self._pieces.pop() if self._pieces else b""
        if len(piece) > size:
            self._pieces.append(piece[size:])
        return piece[:size]


def exchange(service: Service, batch: Sequence[Sent]) -> list[Got]:
    """Sends a dynamic batch to the service, and reads its answer as the front end does."""
    frame = [(f"request-{place}", sent) for place, sent in enumerate(batch)]
    command, message = otf_message_handler.retrieve_msg(Connection(b"I" + frame_bytes(frame)))
    assert command == b"I"
    answer = io.BytesIO(bytes(service.predict(message)))
    assert (_integer(answer), _text(answer)) == (200, "Prediction success"), "the whole batch failed"
    found = []
    for request_id, _ in frame:
        assert _text(answer) == request_id
        content_type = _text(answer)
        status, phrase, count = _integer(answer), _text(answer), _integer(answer)
        headers = {_text(answer): _text(answer) for _ in range(count)}
        assert (headers["content-type"], phrase) == (content_type, "")
        found.append(Got(status, headers, answer.read(_integer(answer))))
    assert (_integer(answer), answer.read()) == (-1, b"")
    return found


def frame_bytes(frame: Sequence[tuple[str, Sent]]) -> bytes:
    """A frame of requests by their ids, as the front end writes it, without the command byte."""
    out = b""
    for request_id, (parameters, headers) in frame:
        out += sized(request_id.encode())
        out += b"".join(sized(name.encode()) + sized(value.encode()) for name, value in headers.items()) + _END
        for name, content_type, value in parameters:
            out += sized(name.encode()) + sized(content_type.encode()) + sized(value)
        out += _END
    return out + _END


def sized(data: bytes) -> bytes:
    """The bytes, with their number before them."""
    return _INT.pack(len(data)) + data


def _integer(stream: io.BytesIO) -> int:
    (value,) = _INT.unpack(stream.read(_INT.size))
    return int(value)


def _text(stream: io.BytesIO) -> str:
    return stream.read(_integer(stream)).decode()
