"""Answers that need no model: health, a description of the server, and its versions in TorchServe's format.

TorchServe lists and changes versions at its management address. Here, clients can only read the same list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import orjson

from handler.request import Request, Response
from model.archive import NAME
from ops.asgi.versions import Versions

SERVER = {"name": "ncf-serve", "version": "0.2.0", "extensions": ["binary_tensor_data"]}
LocalAnswers = Mapping[str, Callable[[], Response]]


def local_answers(versions: Versions, workers: Callable[[], Iterable[int]]) -> LocalAnswers:
    """The answer for each such path. `workers` returns the PIDs of the processes that serve now."""
    fixed: dict[str, Any] = {
        "/ping": {"status": "Healthy"},
        "/": {"status": "alive"},
        "/v2/health/live": {"live": True},
        "/v2": SERVER,
        "/v1/models": {"models": [NAME]},
    }
    answers: dict[str, Callable[[], Response]] = {path: partial(_json, body) for path, body in fixed.items()}
    answers[f"/models/{NAME}"] = partial(_description, versions, versions.default, workers)
    answers[f"/models/{NAME}/all"] = lambda: _json([_listed(version, workers()) for version in versions.served])
    for version in versions.served:
        answers[f"/models/{NAME}/{version}"] = partial(_description, versions, version, workers)
    return answers


def _description(versions: Versions, version: str, workers: Callable[[], Iterable[int]]) -> Response:
    return _json([_described(versions, version, workers())])


def _described(versions: Versions, version: str, workers: Iterable[int]) -> dict[str, Any]:
    """The description of a version, as TorchServe answers `?customized=true`."""
    [response] = versions.served[version].service.answer([Request(None, endpoint="description")])
    return {**_listed(version, workers), "customizedMetadata": orjson.loads(response.body)}


def _listed(version: str, workers: Iterable[int]) -> dict[str, Any]:
    ready = [{"id": str(pid), "pid": pid, "status": "READY"} for pid in workers]
    return {"modelName": NAME, "modelVersion": version, "workers": ready}


def _json(body: Any) -> Response:
    return Response(orjson.dumps(body))
