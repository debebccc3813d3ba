"""Faster reading and writing of TorchServe's worker frames.

TorchServe 0.12.0 reads every length and every value of a frame with a system call of its own, dozens for one
request, and decodes headers that nobody asks for. Here a frame is read from one buffer, headers that came before are
recognised as a whole, and all answers of a batch are joined at once.

A frame, all integers big-endian int32:  request* -1,   request = id, (name, value)* -1, (name, type, value)* -1,
each a length and its bytes. An answer:  code, message, (id, type, status, phrase, (name, value)*, body)* -1, with the
number of headers before them.
"""

from __future__ import annotations

import logging
import struct
import sys
from collections.abc import Mapping, Sequence
from socket import socket
from typing import Any, NamedTuple, Protocol

import ts
from ts.protocol import otf_message_handler
from ts.service import Service

from handler.request import Incoming, Reply

logger = logging.getLogger(__name__)

TORCHSERVE_VERSION = "0.12.0"
_INT = struct.Struct("!i")
_END = _INT.pack(-1)
_CHUNK_BYTES = 262_144
_REMEMBERED_HEADERS = 8
_HEAD = _INT.pack(200) + _INT.pack(len(b"Prediction success")) + b"Prediction success"


class Answering(Protocol):
    """What a handler must be to be reached directly. `headers` go with every answer, beside a reply's own."""

    headers: Mapping[str, str]

    def answer(self, incoming: Sequence[Incoming]) -> list[Reply]:
        """One reply for each request, in order."""


class WireRequest(NamedTuple):
    """One request of a frame."""

    request_id: bytes
    incoming: Incoming


def install(handler: Answering) -> bool:
    """Puts this reader and writer in TorchServe's place, in this process; False where TorchServe is another one."""
    if ts.__version__ != TORCHSERVE_VERSION:
        logger.warning("fast_wire is for TorchServe %s, this is %s: not used", TORCHSERVE_VERSION, ts.__version__)
        return False
    reader = FrameReader()
    original = Service.predict

    def predict(service: Service, batch: list[Any]) -> bytes | bytearray:
        if not batch or type(batch[0]) is not WireRequest:
            answer: bytes | bytearray = original(service, batch)
            return answer
        try:
            return write_frame(batch, handler.answer([request.incoming for request in batch]), handler.headers)
        except Exception:
            logger.exception("a batch of %d requests failed", len(batch))
            ids = {place: request.request_id.decode() for place, request in enumerate(batch)}
            failed: bytearray = otf_message_handler.create_predict_response(None, ids, "Prediction failed", 503)
            return failed

    otf_message_handler._retrieve_inference_msg = reader.read
    Service.predict = predict
    return True


class FrameReader:
    """Reads frames; remembers header blocks, each of which ends itself, so that an equal prefix is an equal block."""

    def __init__(self) -> None:
        self._blocks: list[tuple[bytes, dict[str, str]]] = []

    def read(self, connection: socket) -> list[WireRequest]:
        """The requests of the next frame, whose command byte has been read.

        Raises:
            SystemExit: the front end has gone.
            ValueError: bytes follow the frame, which this protocol never sends.
        """
        frame = _Buffer(connection)
        requests = []
        while (length := frame.integer()) != -1:
            request_id = frame.take(length)
            headers = self._headers(frame)
            requests.append(WireRequest(request_id, _incoming(frame, headers)))
        if frame.position != len(frame.data):
            raise ValueError(f"{len(frame.data) - frame.position} bytes after a frame")
        return requests

    def _headers(self, frame: _Buffer) -> dict[str, str]:
        for place, (block, headers) in enumerate(self._blocks):
            if frame.data.startswith(block, frame.position):
                frame.position += len(block)
                if place:
                    self._blocks.insert(0, self._blocks.pop(place))
                return headers
        start = frame.position
        headers = {}
        while (length := frame.integer()) != -1:
            name = frame.take(length).decode()
            headers[name] = frame.take(frame.integer()).decode()
        self._blocks.insert(0, (bytes(frame.data[start : frame.position]), headers))
        del self._blocks[_REMEMBERED_HEADERS:]
        return headers


def _incoming(frame: _Buffer, headers: dict[str, str]) -> Incoming:
    row = {}
    while (length := frame.integer()) != -1:
        name = frame.take(length).decode()
        frame.skip(frame.integer())
        row[name] = frame.take(frame.integer())
    return Incoming(row, headers)


class _Buffer:
    """The bytes of one frame, received as they are needed."""

    __slots__ = ("_connection", "data", "position")

    def __init__(self, connection: socket) -> None:
        self._connection = connection
        self.position = 0
        self.data = b""
        self._receive(_INT.size)

    def integer(self) -> int:
        end = self.position + 4
        if end > len(self.data):
            self._receive(end)
        (value,) = _INT.unpack_from(self.data, self.position)
        self.position = end
        return int(value)

    def take(self, length: int) -> bytes:
        start = self.position
        self.skip(length)
        return self.data[start : self.position]

    def skip(self, length: int) -> None:
        end = self.position + length
        if end > len(self.data):
            self._receive(end)
        self.position = end

    def _receive(self, end: int) -> None:
        """Receives until `end` bytes are there; a frame mostly comes whole with the first call."""
        parts, have = [self.data], len(self.data)
        while have < end:
            part = self._connection.recv(max(_CHUNK_BYTES, end - have))
            if not part:
                logger.info("Frontend disconnected.")
                sys.exit(0)
            parts.append(part)
            have += len(part)
        self.data = b"".join(parts)


def write_frame(requests: Sequence[WireRequest], replies: Sequence[Reply], headers: Mapping[str, str]) -> bytes:
    """The answer to a frame: one reply for each of its requests, in order, each with `headers` beside its own."""
    pack = _INT.pack
    parts = [_HEAD]
    heads: dict[tuple[int, int], bytes] = {}
    for request, reply in zip(requests, replies, strict=True):
        key = (reply.status, id(reply.headers))
        if key not in heads:
            heads[key] = _answer_head(reply, {**reply.headers, **headers})
        parts += (pack(len(request.request_id)), request.request_id, heads[key], pack(len(reply.body)), reply.body)
    parts.append(_END)
    return b"".join(parts)


def _answer_head(reply: Reply, headers: Mapping[str, str]) -> bytes:
    """Content type, status, an empty phrase, and the headers."""
    content_type = reply.headers["content-type"].encode()
    parts = [_INT.pack(len(content_type)), content_type, _INT.pack(reply.status), _INT.pack(0)]
    parts.append(_INT.pack(len(headers)))
    for text in (text for pair in headers.items() for text in pair):
        encoded = text.encode()
        parts += (_INT.pack(len(encoded)), encoded)
    return b"".join(parts)
