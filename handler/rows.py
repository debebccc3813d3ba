"""TorchServe's rows and headers, as requests and responses of the service.

A row is a dictionary of fields. The body lies under `body` (JSON, and anything without a content type of its own),
under `data` (gRPC), or under the name that a form gave it (multipart). TorchServe drops form data that is no form, as
`curl -d` sends JSON without a header: that row is empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from handler.request import Endpoint, Request, Response
from handler.request_log import MAX_ID_CHARACTERS, REQUEST_ID

BODY_FIELDS = ("body", "data")
# What a proxy asks in the header `describe`, for clients whose paths TorchServe does not know: ops/nginx/ncf.conf.
QUESTIONS: Mapping[str, Endpoint] = {"ready": "readiness", "metadata": "metadata"}
# Without this header a StreamPredictions call over gRPC ends TorchServe's worker.
_LAST_OF_STREAM = {"ts_stream_next": "false"}


def to_request(row: Mapping[str, Any], headers: Mapping[str, str]) -> Request:
    """The request of one row; `headers` by their names in lower case, as `lower_case_names` gives them."""
    has_headers = bool(headers)
    endpoint = _endpoint(headers, bool(row))
    if REQUEST_ID in row and REQUEST_ID not in headers and (sent := _text(row[REQUEST_ID])):
        headers = {**headers, REQUEST_ID: sent}
    return Request(find_body(row), headers, endpoint, has_headers)


def response_headers(request: Request, response: Response, common: Mapping[str, str]) -> dict[str, str]:
    """The headers of one answer: its own, those that every answer has, and what TorchServe needs over gRPC."""
    headers = {**response.headers, **common}
    return headers if request.has_headers else headers | _LAST_OF_STREAM


def lower_case_names(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers by their names in lower case.

    TorchServe writes the names of its own headers in lower case. If two names differ in case alone, the one in lower
    case counts, so that a client's `Explain` cannot replace TorchServe's `explain`.
    """
    found: dict[str, str] = {}
    for name, value in headers:
        lower = name.lower()
        if lower == name or lower not in found:
            found[lower] = value
    return found


def _endpoint(headers: Mapping[str, str], has_fields: bool) -> Endpoint:
    # A client can send this header too, but with a body; TorchServe's own question has none.
    if headers.get("describe") == "True" and not has_fields:
        return "description"
    asked = headers.get("describe", "")
    if asked in QUESTIONS:
        return QUESTIONS[asked]
    return "explanations" if headers.get("explain") == "True" else "predictions"


def find_body(row: Mapping[str, Any]) -> Any:
    """The body among a row's fields: `body`, `data`, or the only field; None where there is none."""
    for name in BODY_FIELDS:
        if name in row:
            return b"null" if row[name] is None else row[name]  # JSON that TorchServe parsed; no body is another thing
    if len(row) == 1:
        ((name, value),) = row.items()
        return value or name
    return None


def _text(field: object) -> str | None:
    """The client's id of a request, which gRPC sends as a field; a long one is cut before it is decoded."""
    if isinstance(field, bytes | bytearray):
        return field[: 4 * MAX_ID_CHARACTERS].decode("ascii", "replace")
    return field if isinstance(field, str) else None
