"""Batches: one call of the service answers all requests that the event loop reads in one turn."""

from __future__ import annotations

import asyncio
import logging

from handler.errors import RequestError
from handler.request import Request, Response
from handler.service import RatingService

logger = logging.getLogger(__name__)

_FAILED = RequestError("the server failed on these requests; its log tells why", 500, "InternalError")
_FULL = RequestError("too many requests are waiting: ask again", 503, "Overloaded")


class Batches:
    """Answers the requests of one version. A single request never waits for others.

    most: the largest number of requests in a batch; the next turn of the event loop answers the rest.
    most_waiting: a new request is refused if this many are waiting.
    """

    def __init__(self, service: RatingService, most: int, most_waiting: int) -> None:
        self._service = service
        self._most = most
        self._most_waiting = most_waiting
        self._waiting: list[tuple[Request, asyncio.Future[Response]]] = []

    async def answer(self, request: Request) -> Response:
        """The response to one request."""
        if len(self._waiting) >= self._most_waiting:
            return _FULL.to_response()
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Response] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._answer_waiting)
        self._waiting.append((request, answered))
        return await answered

    def _answer_waiting(self) -> None:
        batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._answer_waiting)
        try:
            responses = self._service.answer([request for request, _ in batch])
        except Exception:
            logger.exception("a batch of %d requests failed", len(batch))
            responses = [_FAILED.to_response()] * len(batch)
        for (_, answered), response in zip(batch, responses, strict=True):
            if not answered.done():  # it is done already if the client has left
                answered.set_result(response)
