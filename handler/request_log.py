"""One log line for a failed request, with the id that its client gave it.

A client sends the id in the header X-Request-Id. A line is written if the server failed (5xx), and if the client failed
(4xx) and sent an id. Clients can cause lines, so their number per second is limited. The client's text is written
without the characters that could end a line or begin another field.
"""

from __future__ import annotations

import json
import logging
import re
import time

import orjson

from handler.request import Request, Response

logger = logging.getLogger(__name__)

REQUEST_ID = "x-request-id"
MAX_ID_CHARACTERS = 128
# All others than the characters of UUIDs, ULIDs, base64, traceparent and dotted names.
_OTHER_CHARACTERS = re.compile(r"[^A-Za-z0-9._:/+=@-]")


class RequestLog:
    """Writes the lines of one worker, at most `lines_per_s` in any second."""

    def __init__(self, model_version: str, lines_per_s: int) -> None:
        self._version = model_version
        self._lines_per_s = lines_per_s
        self._second = 0
        self._written = 0
        self._left_out = 0

    def write_failure(self, request: Request, response: Response) -> None:
        """Writes the line of a response of status 400 or above, which must be a RequestError's."""
        request_id = find_request_id(request)
        if (response.status < 500 and request_id is None) or not self._may_write():
            return
        error = orjson.loads(response.body)
        logger.log(
            logging.ERROR if response.status >= 500 else logging.WARNING,
            "request_failed id=%s status=%d type=%s version=%s message=%s",
            request_id or "-",
            response.status,
            error["type"],
            self._version,
            json.dumps(error["message"]),
        )

    def write_fault(self, request: Request, error: Exception) -> None:
        """Writes the traceback of an exception that no client should be able to cause; the response's line follows."""
        if self._may_write():
            request_id = find_request_id(request) or "-"
            logger.error("request_broke id=%s version=%s", request_id, self._version, exc_info=error)

    def _may_write(self) -> bool:
        now = int(time.monotonic())
        if now != self._second:
            if self._left_out:
                logger.warning("request_failed lines left out: %d (max_error_lines_per_s)", self._left_out)
            self._second, self._written, self._left_out = now, 0, 0
        if self._written >= self._lines_per_s:
            self._left_out += 1
            return False
        self._written += 1
        return True


def find_request_id(request: Request) -> str | None:
    """The client's id, fit for a log line: characters that ids do not have become _; None if the client sent none."""
    sent = request.headers.get(REQUEST_ID)
    return _OTHER_CHARACTERS.sub("_", sent[:MAX_ID_CHARACTERS]) if sent else None
