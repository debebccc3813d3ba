"""Errors of requests, in the shape that TorchServe gives its own errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson

from handler.request import Response

_SHOWN_CHARACTERS = 60


class RequestError(Exception):
    """A request that cannot be answered. `code` is the HTTP status; `kind` names the class of errors."""

    def __init__(self, message: str, code: int = 400, kind: str = "InvalidRequest") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.kind = kind

    def to_dict(self) -> dict[str, Any]:
        """The error as a client sees it."""
        return {"code": self.code, "type": self.kind, "message": self.message}

    def to_response(self) -> Response:
        """The error as the response to a whole request."""
        return Response(orjson.dumps(self.to_dict()), self.code)


def shown(value: object) -> str:
    """A client's value as JSON for a message: ASCII only, control characters escaped, and cut if long."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    text = json.dumps(value if not isinstance(value, str) else value[: _SHOWN_CHARACTERS + 1])
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "..."


def too_large(where: str, got: int, unit: str, most: int) -> RequestError:
    """The error of a request that exceeds a limit."""
    return RequestError(f"{where}: {got} {unit}, at most {most} are allowed", code=413, kind="TooLarge")


def allow_fields(item: Mapping[str, Any], allowed: frozenset[str], prefix: str) -> None:
    """Rejects a field that is not known here: a misspelt option must not be ignored."""
    for name in item:
        if name not in allowed:
            raise RequestError(f"{prefix}{shown(name)}: no such field here, allowed: {', '.join(sorted(allowed))}")


def expect_list(values: object, where: str) -> list[Any]:
    """`values`, if it is an array."""
    if not isinstance(values, list):
        raise RequestError(f"{where}: expected an array, got {shown(values)}")
    return values
