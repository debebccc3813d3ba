"""A second server in one file: the service behind ASGI, as uvicorn or hypercorn would run it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from handler.request import Endpoint, Request
from handler.service import RatingService

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ENDPOINTS: Mapping[tuple[str, str], Endpoint] = {
    ("POST", "/predictions/ncf"): "predictions",
    ("POST", "/explanations/ncf"): "explanations",
    ("GET", "/models/ncf"): "description",
}


class AsgiServer:
    """Answers each HTTP request as a batch of one."""

    def __init__(self, service: RatingService) -> None:
        self._service = service

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        endpoint = ENDPOINTS.get((scope["method"], scope["path"]))
        if endpoint is None:
            await respond(send, 404, {}, b"")
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        [response] = self._service.answer([Request(await read_body(receive), headers, endpoint)])
        await respond(send, response.status, {**response.headers, **self._service.headers}, response.body)


async def read_body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def respond(send: Send, status: int, headers: Mapping[str, str], body: bytes) -> None:
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})
