"""TorchServe's worker frames, read and written in one piece each.

TorchServe 0.12.0 reads every length and every value of a frame with a system call of its own, dozens for one request,
and decodes headers that nobody needs. Here a frame is read from one buffer, headers that came before are recognised as
a whole, and all answers of a batch are joined at once.

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
from typing import Any, NamedTuple

from handler.request import Request, Response
from handler.rows import BODY_FIELDS, lower_case_names, response_headers, to_request

logger = logging.getLogger(__name__)

_INT = struct.Struct("!i")
_END = _INT.pack(-1)
_integer = _INT.unpack_from
_NO_MORE = (-1,)
_CHUNK_BYTES = 262_144
_REMEMBERED_HEADS = 8
_SUCCESS = _INT.pack(200) + _INT.pack(len(b"Prediction success")) + b"Prediction success"


class Frame(NamedTuple):
    """A batch: TorchServe's own id of each request, its length before it, and the requests, in the same order."""

    ids: list[bytes]
    requests: list[Request]


class _Head(NamedTuple):
    """A request's headers, and the name of the value after them; None where there is no value.

    `rest`: what a request with these headers holds beside its body, if that value is its body; else None.
    """

    headers: Mapping[str, str]
    name: str | None
    rest: tuple[Any, ...] | None


class FrameReader:
    """Reads frames.

    The bytes before a request's first value hold its headers and that value's name and type. They are mostly the same
    as in one of the last requests. They say themselves where they end, so equal bytes are an equal head, and need not
    be read again.
    """

    def __init__(self) -> None:
        self._heads: list[tuple[bytes, _Head]] = []

    def read(self, connection: socket) -> Frame:
        """The requests of the next frame, whose command byte has been read.

        Raises:
            SystemExit: the front end has gone.
            ValueError: bytes follow the frame, which this protocol never sends.
        """
        data = _receive(connection, b"", _INT.size)
        start = 0
        ids, requests = [], []
        while True:
            try:
                (length,) = _integer(data, start)
                if length == -1:
                    break
                at = start + 4 + length
                request_id = data[start:at]
                head, at = self._head(data, at)
                first = at
                if head.rest is not None:
                    (length,) = _integer(data, at)
                    at += 4 + length
                if head.rest is not None and _integer(data, at) == _NO_MORE:
                    request = Request(data[first + 4 : at], *head.rest)
                    at += 4
                else:
                    request, at = _read_row(data, first, head)
            except struct.error:  # the rest of this request is still on its way; most frames come whole
                # Earlier requests are cut off: otherwise each request of a long frame would copy all of it.
                data = _receive(connection, data[start:], max(at + 4, len(data) + 1) - start)
                start = 0
            else:
                ids.append(request_id)
                requests.append(request)
                start = at
        if start + 4 != len(data):
            raise ValueError(f"{len(data) - start - 4} bytes after a frame")
        return Frame(ids, requests)

    def _head(self, data: bytes, at: int) -> tuple[_Head, int]:
        """The head that begins at `at`, and where it ends."""
        for known in self._heads:
            if data.startswith(known[0], at):
                if known is not self._heads[0]:
                    self._heads.remove(known)
                    self._heads.insert(0, known)
                return known[1], at + len(known[0])
        start = at
        headers = []
        while _integer(data, at) != _NO_MORE:
            name, at = _text(data, at)
            value, at = _text(data, at)
            headers.append((name, value))
        at += 4
        first, at = (None, at + 4) if _integer(data, at) == _NO_MORE else _field(data, at)
        self._heads.insert(0, (data[start:at], _make_head(lower_case_names(headers), first)))
        del self._heads[_REMEMBERED_HEADS:]
        return self._heads[0][1], at


def _make_head(headers: Mapping[str, str], name: str | None) -> _Head:
    rest = to_request({name: b""}, headers)[1:] if name in BODY_FIELDS else None
    return _Head(headers, name, rest)


def _read_row(data: bytes, at: int, head: _Head) -> tuple[Request, int]:
    """A request whose first value begins at `at`, and where it ends; it may have several values, or none."""
    row = {}
    name = head.name
    while name is not None:
        (length,) = _integer(data, at)
        at += 4 + length
        row[name] = data[at - length : at]
        name, at = (None, at + 4) if _integer(data, at) == _NO_MORE else _field(data, at)
    return to_request(row, head.headers), at


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
    parts = [data]
    have = len(data)
    while have < end:
        part = connection.recv(max(_CHUNK_BYTES, end - have))
        if not part:
            logger.info("Frontend disconnected.")
            sys.exit(0)
        parts.append(part)
        have += len(part)
    return b"".join(parts)


def write_frame(frame: Frame, responses: Sequence[Response], headers: Mapping[str, str]) -> bytes:
    """The answer to a frame: one response for each of its requests, in order, each with `headers` beside its own."""
    pack = _INT.pack
    parts = [_SUCCESS]
    heads: dict[tuple[int, int, bool], bytes] = {}
    for sized_id, request, response in zip(frame.ids, frame.requests, responses, strict=True):
        body, status, own = response
        key = (status, id(own), request.has_headers)
        head = heads.get(key)
        if head is None:
            head = heads[key] = _answer_head(status, response_headers(request, response, headers))
        parts += (sized_id, head, pack(len(body)), body)
    parts.append(_END)
    return b"".join(parts)


def _answer_head(status: int, headers: Mapping[str, str]) -> bytes:
    """Content type, status, an empty phrase, and the headers."""
    content_type = headers["content-type"].encode()
    parts = [_INT.pack(len(content_type)), content_type, _INT.pack(status), _INT.pack(0)]
    parts.append(_INT.pack(len(headers)))
    for text in (text for pair in headers.items() for text in pair):
        encoded = text.encode()
        parts += (_INT.pack(len(encoded)), encoded)
    return b"".join(parts)
