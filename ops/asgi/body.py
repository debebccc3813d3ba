"""Reads the body of a request, up to a limit, and extracts the content of a form."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from email import policy
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qsl

from handler.errors import RequestError
from handler.rows import find_body

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
_MULTIPART = "multipart/form-data"
_URL_ENCODED = "application/x-www-form-urlencoded"


class ClientLeftError(Exception):
    """The client closed the connection before the end of its request."""


async def read_body(receive: Receive, most: int) -> bytes:
    """The whole body.

    Raises:
        RequestError: the body is longer than `most` bytes.
        ClientLeftError: the client left before it sent the whole body.
    """
    message = await receive()
    body: bytes = message.get("body", b"")
    parts, size = [body], len(body)
    while message.get("more_body", False) and size <= most:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
    if message["type"] == "http.disconnect":
        raise ClientLeftError
    if size > most:
        raise RequestError(f"body: more than {most} bytes, at most {most} are allowed", 413, "TooLarge")
    return body if len(parts) == 1 else b"".join(parts)


def content_of(body: bytes, content_type: str) -> Any:
    """The body, or the content of a form's only field, as in TorchServe; None for any other form."""
    if content_type.startswith(_MULTIPART):
        return find_body(_multipart_fields(body, content_type))
    if content_type.startswith(_URL_ENCODED):
        return find_body(dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=100)))
    return body


def _multipart_fields(body: bytes, content_type: str) -> Mapping[str, bytes]:
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1")
    form = BytesParser(policy=policy.HTTP).parsebytes(head + body)
    fields = {}
    for part in form.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            fields[name] = content
    return fields
