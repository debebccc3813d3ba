"""The ASGI application with a small model in two versions, asked without a server."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import pytest

from handler.service import RatingService
from handler.settings import HandlerSettings
from model.artifact import Artifact
from ops.asgi.about import local_answers
from ops.asgi.application import Application
from ops.asgi.cors import Cors
from ops.asgi.versions import Served, Versions

Ask = Callable[..., httpx.Response]
NOBODY = Cors()


@pytest.fixture
def versions(ranked_artifact: Artifact) -> Versions:
    def served(version: str) -> Served:
        settings = HandlerSettings(max_body_bytes=1000)
        return Served(RatingService(ranked_artifact, settings, "ncf", version), 48, settings.max_body_bytes)

    return Versions({version: served(version) for version in ("1.0", "1.1")}, "1.0")


def application(versions: Versions, cors: Cors = NOBODY, most_waiting: int = 100) -> Application:
    return Application(versions, local_answers(versions, lambda: [7]), cors, most_waiting)


def asking(app: Application, ask: Callable[[httpx.AsyncClient], Coroutine[Any, Any, Any]]) -> Any:
    """A function that sends one request with a client of the application."""

    async def run() -> Any:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://asgi") as client:
            return await ask(client)

    return asyncio.run(run())


@pytest.fixture
def ask(versions: Versions) -> Ask:
    def once(method: str, path: str, **options: Any) -> httpx.Response:
        response: httpx.Response = asking(application(versions), lambda client: client.request(method, path, **options))
        return response

    return once
