"""TorchServe's front end as a worker meets it: frames in, frames out, around a real Service. No JVM."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping, Sequence
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
    """What one client gets. `tensors` holds what lies after the JSON, where the headers say that something does."""

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
    """A socket's reading half, with all bytes already there; long reads come in pieces, as from a socket."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def recv(self, size: int) -> bytes:
        return self._data.read(min(size, 8192))


def exchange(service: Service, batch: Sequence[Sent]) -> list[Got]:
    """Sends a dynamic batch the way that a worker's loop takes it, and reads the answer as the front end does."""
    command, message = otf_message_handler.retrieve_msg(Connection(b"I" + _frame(batch)))
    assert command == b"I"
    answer = io.BytesIO(bytes(service.predict(message)))
    assert (_integer(answer), _text(answer)) == (200, "Prediction success"), "the whole batch failed"
    found = []
    for place in range(len(batch)):
        assert _text(answer) == f"request-{place}"
        content_type = _text(answer)
        status, phrase, count = _integer(answer), _text(answer), _integer(answer)
        headers = {_text(answer): _text(answer) for _ in range(count)}
        assert (headers["content-type"], phrase) == (content_type, "")
        found.append(Got(status, headers, answer.read(_integer(answer))))
    assert (_integer(answer), answer.read()) == (-1, b"")
    return found


def _frame(batch: Sequence[Sent]) -> bytes:
    out = b""
    for place, (parameters, headers) in enumerate(batch):
        out += _sized(f"request-{place}".encode())
        out += b"".join(_sized(name.encode()) + _sized(value.encode()) for name, value in headers.items()) + _END
        for name, content_type, value in parameters:
            out += _sized(name.encode()) + _sized(content_type.encode()) + _sized(value)
        out += _END
    return out + _END


def _sized(data: bytes) -> bytes:
    return _INT.pack(len(data)) + data


def _integer(stream: io.BytesIO) -> int:
    (value,) = _INT.unpack(stream.read(_INT.size))
    return int(value)


def _text(stream: io.BytesIO) -> str:
    return stream.read(_integer(stream)).decode()
