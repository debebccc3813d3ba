"""A request's body, and the JSON in it."""

from __future__ import annotations

from typing import Any

import orjson

from handler.errors import RequestError, too_large
from handler.request import Request
from handler.settings import HandlerSettings

_EXAMPLE = '{"user_id": ..., "movie_id": ...}'
# A union would be made anew for every request.
_TEXT = (bytes, bytearray, str)
_FORM = "application/x-www-form-urlencoded"


def check_body(request: Request, settings: HandlerSettings) -> Any:
    """The body: bytes or text, or a value that the server parsed.

    Raises:
        RequestError: there is none, or it is too long.
    """
    body = request.body
    if body is None:
        raise RequestError(f"body: none found, expected JSON such as {_EXAMPLE}{_advice(request)}")
    if isinstance(body, _TEXT) and len(body) > settings.max_body_bytes:
        raise too_large("body", len(body), "bytes", settings.max_body_bytes)
    return body


def parse_json(body: Any, settings: HandlerSettings) -> Any:
    """The JSON of a body.

    A value that the server parsed is written and read again: a server's parser may accept what no answer can hold, such
    as NaN, integers of any size and lone surrogates.

    Raises:
        RequestError: the body is empty, or not JSON.
    """
    if not isinstance(body, _TEXT):
        try:
            body = orjson.dumps(body)
        except orjson.JSONEncodeError as error:
            if "ecursion" in str(error):
                raise too_deep(settings) from error
            raise RequestError(f"body: not valid JSON: {error}") from error
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if not body.strip():
            raise RequestError(f"body: empty, expected JSON such as {_EXAMPLE}") from error
        if error.msg.startswith("depth limit"):
            raise too_deep(settings) from error
        raise RequestError(f"body: not valid JSON: {error}") from error


def too_deep(settings: HandlerSettings) -> RequestError:
    """The error of JSON that is nested too deep."""
    return RequestError(f"body: JSON nested deeper than {settings.max_depth} levels", code=413, kind="TooLarge")


def is_deeper(value: Any, depth: int) -> bool:
    """Whether parsed JSON has more than `depth` levels of arrays and objects."""
    level = [value]
    for _ in range(depth + 1):
        inner = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        if not inner:
            return False
        level = [value for values in inner for value in values]
    return True


def _advice(request: Request) -> str:
    if request.headers.get("content-type", "").startswith(_FORM):
        return "; it was sent as form data: with curl -d add -H 'Content-Type: application/json'"
    return ""
