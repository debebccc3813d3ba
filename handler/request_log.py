"""One log line for a failed request, with the id that its client gave it.

HTTP clients send the id as the header X-Request-Id, gRPC ones, whose metadata TorchServe does not pass on, as a field
x-request-id beside the body. A line is written where the server failed (5xx), and where a client did (4xx) and sent an
id. Clients can cause lines, so there are at most so many of them a second, and of their text only what cannot end a
line, or be taken for another field, is written.
"""

from __future__ import annotations

import json
import logging
import re
import time

import orjson

from handler.request import Incoming, Reply

logger = logging.getLogger(__name__)

REQUEST_ID = "x-request-id"
MAX_ID_CHARACTERS = 128
# What UUIDs, ULIDs, base64, traceparent and dotted names are made of.
_OTHER_CHARACTERS = re.compile(r"[^A-Za-z0-9._:/+=@-]")


class RequestLog:
    """Writes the lines of one worker, at most `lines_per_s` in any second."""

    def __init__(self, model_version: str, lines_per_s: int) -> None:
        self._version = model_version
        self._lines_per_s = lines_per_s
        self._second = 0
        self._written = 0
        self._left_out = 0

    def failed(self, incoming: Incoming, reply: Reply) -> None:
        """Notes a reply of status 400 or above, which must be a RequestError's."""
        request_id = find_request_id(incoming)
        if (reply.status < 500 and request_id is None) or not self._may_write():
            return
        error = orjson.loads(reply.body)
        logger.log(
            logging.ERROR if reply.status >= 500 else logging.WARNING,
            "request_failed id=%s status=%d type=%s version=%s message=%s",
            request_id or "-",
            reply.status,
            error["type"],
            self._version,
            json.dumps(error["message"]),
        )

    def broke(self, incoming: Incoming, error: Exception) -> None:
        """Writes the traceback of an exception that no client should be able to cause; the reply's line follows."""
        if self._may_write():
            logger.error(
                "request_broke id=%s version=%s", find_request_id(incoming) or "-", self._version, exc_info=error
            )

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


def find_request_id(incoming: Incoming) -> str | None:
    """The client's id, fit for a log line: other characters than those of ids become _; None where it sent none."""
    sent = incoming.headers.get(REQUEST_ID)
    if sent is None and isinstance(field := incoming.row.get(REQUEST_ID), bytes | bytearray | str):
        sent = field if isinstance(field, str) else field[: 4 * MAX_ID_CHARACTERS].decode("ascii", "replace")
    return _OTHER_CHARACTERS.sub("_", sent[:MAX_ID_CHARACTERS]) if sent else None
