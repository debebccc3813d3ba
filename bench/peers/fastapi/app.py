"""FastAPI: one route, and one forward for all requests that the event loop has read in the same turn."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response

from bench.peers.rating_model import RatingModel

app = FastAPI(openapi_url=None)
model = RatingModel()
waiting: list[tuple[Any, asyncio.Future[Any]]] = []


def answer_all() -> None:
    """Answers what has come since the last time; an ask that cannot be answered fails all that came with it."""
    batch = waiting.copy()
    waiting.clear()
    try:
        answers = model.answer([ask for ask, _ in batch])
    except Exception as error:
        for _, future in batch:
            if not future.done():
                future.set_exception(error)
        return
    for (_, future), answer in zip(batch, answers, strict=True):
        if not future.done():  # its client may have gone
            future.set_result(answer)


@app.post("/predict")
async def predict(request: Request) -> Response:
    """Any ask as JSON."""
    ask = orjson.loads(await request.body())
    loop = asyncio.get_running_loop()
    answered = loop.create_future()
    if not waiting:
        loop.call_soon(answer_all)
    waiting.append((ask, answered))
    return Response(orjson.dumps(await answered, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")
