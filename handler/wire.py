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

from handler.request import Incoming, Reply, in_lower_case

logger = logging.getLogger(__name__)

TORCHSERVE_VERSION = "0.12.0"
_INT = struct.Struct("!i")
_END = _INT.pack(-1)
_integer = _INT.unpack_from
_NO_MORE = (-1,)
_CHUNK_BYTES = 262_144
_REMEMBERED_HEADS = 8
_HEAD = _INT.pack(200) + _INT.pack(len(b"Prediction success")) + b"Prediction success"


class _Head(NamedTuple):
    """Headers, and the name of the value after them; None where there is no value."""

    headers: Mapping[str, str]
    name: str | None


class Answering(Protocol):
    """What a handler must be to be reached directly. `headers` go with every answer, beside a reply's own."""

    headers: Mapping[str, str]

    def answer(self, incoming: Sequence[Incoming]) -> list[Reply]:
        """One reply for each request, in order."""


def install(handler: Answering) -> bool:
    """Puts this reader and writer in TorchServe's place, in this process; False where TorchServe is another one."""
    if ts.__version__ != TORCHSERVE_VERSION:
        logger.warning("fast_wire is for TorchServe %s, this is %s: not used", TORCHSERVE_VERSION, ts.__version__)
        return False
    reader = FrameReader()
    original = Service.predict

    def predict(service: Service, batch: list[Any]) -> bytes | bytearray:
        if not batch or type(batch[0]) is not Incoming:
            answer: bytes | bytearray = original(service, batch)
            return answer
        try:
            return write_frame(batch, handler.answer(batch), handler.headers)
        except Exception:
            logger.exception("a batch of %d requests failed", len(batch))
            ids = {place: request.request_id.decode() for place, request in enumerate(batch)}
            failed: bytearray = otf_message_handler.create_predict_response(None, ids, "Prediction failed", 503)
            return failed

    otf_message_handler._retrieve_inference_msg = reader.read
    Service.predict = predict
    return True


class FrameReader:
    """Reads frames.

    What precedes a request's first value, its headers and that value's name and type, is mostly the same as in one of
    the last requests. Each part of it ends itself, so an equal prefix is an equal head, and need not be read again.
    """

    def __init__(self) -> None:
        self._heads: list[tuple[bytes, _Head]] = []

    def read(self, connection: socket) -> list[Incoming]:
        """The requests of the next frame, whose command byte has been read.

        Raises:
            SystemExit: the front end has gone.
            ValueError: bytes follow the frame, which this protocol never sends.
        """
        data, start = _receive(connection, b"", _INT.size), 0
        requests = []
        while True:
            at = start
            try:
                (length,) = _integer(data, at)
                if length == -1:
                    break
                at += 4 + length
                request_id = data[start + 4 : at]
                (headers, name), at = self._head(data, at)
                row = {}
                while name is not None:
                    (length,) = _integer(data, at)
                    at += 4 + length
                    row[name] = data[at - length : at]
                    name, at = (None, at + 4) if _integer(data, at) == _NO_MORE else _field(data, at)
            except struct.error:  # the rest of this request is still on its way; most frames come whole
                # What was read is left behind: kept, all of a long frame would be copied for each of its requests.
                end = max(at + 4, len(data) + 1)
                data, start = _receive(connection, data[start:], end - start), 0
            else:
                requests.append(Incoming(row, headers, request_id))
                start = at
        if start + 4 != len(data):
            raise ValueError(f"{len(data) - start - 4} bytes after a frame")
        return requests

    def _head(self, data: bytes, at: int) -> tuple[_Head, int]:
        """The head that begins at `at`, and where it ends."""
        for known in self._heads:
            if data.startswith(known[0], at):
                if known is not self._heads[0]:
                    self._heads.remove(known)
                    self._heads.insert(0, known)
                return known[1], at + len(known[0])
        headers, start = [], at
        while _integer(data, at) != _NO_MORE:
            name, at = _text(data, at)
            value, at = _text(data, at)
            headers.append((name, value))
        at += 4
        first, at = (None, at + 4) if _integer(data, at) == _NO_MORE else _field(data, at)
        self._heads.insert(0, (data[start:at], _Head(in_lower_case(headers), first)))
        del self._heads[_REMEMBERED_HEADS:]
        return self._heads[0][1], at


def _field(data: bytes, at: int) -> tuple[str, int]:
    """A field's name, and where its value begins."""
    name, at = _text(data, at)
    _, at = _text(data, at)
    return name, at


def _text(data: bytes, at: int) -> tuple[str, int]:
    (length,) = _integer(data, at)
    end = at + 4 + length
    if end > len(data):
        raise struct.error("not all of it is there")
    return data[at + 4 : end].decode(), end


def _receive(connection: socket, data: bytes, end: int) -> bytes:
    """`data` and what follows it, at least up to `end`."""
    parts, have = [data], len(data)
    while have < end:
        part = connection.recv(max(_CHUNK_BYTES, end - have))
        if not part:
            logger.info("Frontend disconnected.")
            sys.exit(0)
        parts.append(part)
        have += len(part)
    return b"".join(parts)


def write_frame(requests: Sequence[Incoming], replies: Sequence[Reply], headers: Mapping[str, str]) -> bytes:
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
