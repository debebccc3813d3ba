"""Ray Serve: one replica, asks batched within it."""

import sys
import time
from typing import Any

import orjson
import ray
from ray import serve
from starlette.requests import Request
from starlette.responses import Response

from bench.peers.rating_model import RatingModel


@serve.deployment(num_replicas=1, max_ongoing_requests=1000)
class Ratings:
    """The model behind a batching queue."""

    def __init__(self) -> None:
        self.model = RatingModel()

    @serve.batch(max_batch_size=64, batch_wait_timeout_s=0)
    async def answer(self, asks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """One answer per ask."""
        return self.model.answer(asks)

    async def __call__(self, request: Request) -> Response:
        """Any ask as JSON."""
        answer = await self.answer(orjson.loads(await request.body()))
        return Response(orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")


if __name__ == "__main__":
    ray.init(address="local", num_cpus=2, include_dashboard=False, logging_level="error", log_to_driver=False)
    serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[1])})
    serve.run(
        Ratings.bind(),  # type: ignore[attr-defined]
        route_prefix="/predict",
        logging_config={"enable_access_log": False},
    )
    while True:
        time.sleep(3600)
