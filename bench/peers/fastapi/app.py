"""FastAPI: one route per kind of request, answered in the event loop, which has nothing else to do meanwhile."""

import orjson
from fastapi import FastAPI, Request, Response

from bench.peers.rating_model import RatingModel

app = FastAPI(openapi_url=None)
model = RatingModel()


@app.post("/predict")
async def predict(request: Request) -> Response:
    """Any ask as JSON."""
    [answer] = model.answer([orjson.loads(await request.body())])
    return Response(orjson.dumps(answer), media_type="application/json")
