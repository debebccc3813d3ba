"""Where a request's body lies in the row that TorchServe hands over, and its JSON.

A body arrives under `body` (JSON and anything without a content type of its own), under `data` (gRPC, multipart),
or, sent by `curl -d` without a header, as form data: then the JSON is the NAME of the only field.
"""

from __future__ import annotations

from typing import Any

import orjson

from handler.errors import RequestError

_EXAMPLE = '{"user_id": ..., "movie_id": ...}'


def parse_body(row: dict[str, Any]) -> Any:
    """The parsed JSON of one row of TorchServe's `data`.

    Raises:
        RequestError: there is no body, or it is not JSON.
    """
    for key in ("body", "data"):
        if key in row:
            return _parse(row[key])
    if len(row) == 1:
        name, value = next(iter(row.items()))
        return _parse(value if value else name)
    raise RequestError(f"body: none found, expected JSON such as {_EXAMPLE}")


def _parse(value: Any) -> Any:
    if not isinstance(value, bytes | bytearray | str):
        return value  # TorchServe parsed it already (decode_input_request is on)
    if not value.strip():
        raise RequestError(f"body: empty, expected JSON such as {_EXAMPLE}")
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise RequestError(f"body: not valid JSON: {error}") from error
