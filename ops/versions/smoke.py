"""Sends a few real requests to a registered version, and compares the answers with the archive's own answers."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson

from model.artifact import Artifact
from model.ids import IdMap
from ops.client import Client
from ops.versions.compare import SmokeError, find_difference
from ops.versions.reference import Reference


def smoke(client: Client, reference: Reference, version: str) -> None:
    """Asks a version by its name, and compares the answers.

    Raises:
        SmokeError: an answer differs; the message names the request, the answer and the expected answer.
        ClientError: there was no answer.
    """
    for name, body in asks(reference.artifact):
        served = client.answer(body, version)
        expected = reference.answer(body)
        if served.status != expected.status:
            raise SmokeError(f"{name}: got status {served.status}, expected {expected.status}: {served.body[:200]!r}")
        if served.version != version:
            raise SmokeError(f"{name}: answered by version {served.version}, expected {version}")
        difference = find_difference(orjson.loads(served.body), expected.value, reference.artifact.words.item_id)
        if difference is not None:
            raise SmokeError(f"{name}: {difference}")


def asks(artifact: Artifact) -> Iterator[tuple[str, bytes]]:
    """Yields (name, body): one pair, unknown ids, candidates, the best of all movies, columns."""
    users, movies = (ids.raw(rows) for ids, rows in ((m, _spread(m)) for m in (artifact.user_ids, artifact.movie_ids)))
    words = artifact.words
    strangers = {"user_id": _unknown(artifact.user_ids), words.item_id: _unknown(artifact.movie_ids)}
    number = min(len(users), len(movies))
    columns = [
        {"name": name, "shape": [number], "datatype": "INT64" if ids.integer else "BYTES", "data": raw[:number]}
        for name, ids, raw in (("user_id", artifact.user_ids, users), (words.item_id, artifact.movie_ids, movies))
    ]
    bodies: dict[str, dict[str, Any]] = {
        "one pair": {"user_id": users[0], words.item_id: movies[0]},
        "unknown ids": strangers,
        "candidates": {"user_id": users[-1], words.item_ids: movies},
        "the best of all": {"user_id": users[0], "top_k": 10},
        "columns": {"inputs": columns},
    }
    return ((name, orjson.dumps(body)) for name, body in bodies.items())


def _spread(ids: IdMap, number: int = 20) -> Any:
    """A few ids, evenly spaced over the map."""
    return np.unique(np.linspace(0, len(ids) - 1, number).astype(np.int64))


def _unknown(ids: IdMap) -> Any:
    """An id that is not in the map."""
    candidates = (ids.python_type(number) for number in itertools.count())
    return next(raw for raw in candidates if ids.rows([raw])[0] == ids.unknown)
