"""What comes in and goes out: requests and responses of any server, and what the codecs make of a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from model.asks import Answer, Ask

Endpoint = Literal["predictions", "explanations", "description", "readiness", "metadata"]
JSON_HEADERS: Mapping[str, str] = {"content-type": "application/json"}
_NO_HEADERS: Mapping[str, str] = {}


class Request(NamedTuple):
    """One client's request, as a server hands it over.

    `body`: bytes or text; a value, where the server parsed the JSON itself; None, where the request has no body.
    `headers`: by their names in lower case. `has_headers`: False where the protocol has no headers, as gRPC; the answer
    must then make sense without any.
    """

    body: Any
    headers: Mapping[str, str] = _NO_HEADERS
    endpoint: Endpoint = "predictions"
    has_headers: bool = True


class Response(NamedTuple):
    """What one client gets."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = JSON_HEADERS


class DecodedRequest(NamedTuple):
    """A request's asks, and the function that writes the response from their answers, given in the same order.

    `kind` is the name that metrics count it by.
    """

    kind: str
    asks: Sequence[Ask]
    encode: Callable[[Sequence[Answer]], Response]
