"""Bodies of columns, good ones and nearly good ones, and a function that sends them."""

from __future__ import annotations

import json
from typing import Any

from handler.oip_codec import HEADER_LENGTH
from tests.handler.conftest import Worker
from tests.handler.frames import Got

USERS, MOVIES = [11_242, 1, 7], [10_253, 3, 2**62]  # the model does not know user 1


def tensor(name: str, data: Any, **changes: Any) -> dict[str, Any]:
    return {"name": name, "shape": [3], "datatype": "INT64", "data": data, **changes}


def body(user: Any = None, movie: Any = None, **fields: Any) -> dict[str, Any]:
    return {"inputs": [user or tensor("user_id", USERS), movie or tensor("movie_id", MOVIES)], **fields}


def ask(worker: Worker, sent: dict[str, Any], tail: bytes = b"", length: str | None = None) -> Got:
    """One request over HTTP, with raw bytes after its JSON."""
    text = json.dumps(sent).encode()
    headers = {"content-type": "application/json"}
    if tail or length is not None:
        headers[HEADER_LENGTH] = length or str(len(text))
    [reply] = worker.replies({"body": text + tail}, headers=headers)
    return reply


def raw(name: str, data: bytes, **changes: Any) -> dict[str, Any]:
    return {"name": name, "shape": [3], "datatype": "INT64", "parameters": {"binary_data_size": len(data)}, **changes}
