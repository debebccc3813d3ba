"""A request's body, and the JSON in it."""

from __future__ import annotations

from typing import Any

import orjson

from handler.encodings import CONTENT_ENCODING, inflate, is_plain
from handler.errors import RequestError, too_large
from handler.request import Request
from handler.settings import HandlerSettings

# A union would be made anew for every request.
_TEXT = (bytes, bytearray, str)
_FORM = "application/x-www-form-urlencoded"


def check_body(request: Request, settings: HandlerSettings, example: str) -> Any:
    """The body: bytes or text, without the compression that its header names, or a value that the server parsed.

    example: of a body, for messages.

    Raises:
        RequestError: there is none, it is too long, or its compression is unknown or broken.
    """
    body = request.body
    if body is None:
        raise RequestError(f"body: none found, expected JSON such as {example}{_advice(request)}")
    if isinstance(body, _TEXT) and len(body) > settings.max_body_bytes:
        raise too_large("body", len(body), "bytes", settings.max_body_bytes)
    encoding = request.headers.get(CONTENT_ENCODING)
    if encoding is not None and not is_plain(encoding):
        return inflate(body, encoding, settings.max_body_bytes)
    return body


def parse_json(body: Any, settings: HandlerSettings, example: str) -> Any:
    """The JSON of a body.

    A value that the server parsed is written and read again: a server's parser may accept what no answer can hold, such
    as NaN, integers of any size and lone surrogates. `example`: of a body, for messages.

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
            raise RequestError(f"body: empty, expected JSON such as {example}") from error
        if error.msg.startswith("depth limit"):
            raise too_deep(settings) from error
        raise RequestError(f"body: not valid JSON: {error}") from error


def without_nulls(item: dict[str, Any]) -> dict[str, Any]:
    """The fields of an object that hold something: a field that is null counts as absent."""
    if any(value is None for value in item.values()):
        return {name: value for name, value in item.items() if value is not None}
    return item


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
