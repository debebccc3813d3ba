"""BentoML: batchable APIs, whose dispatchers join the lists of waiting requests.

One for each kind of ask: a dispatcher learns how long its batches take, and waits by that.
"""

from typing import Any

import bentoml

from bench.peers.rating_model import RatingModel, short


@bentoml.service(workers=1, logging={"access": {"enabled": False}}, metrics={"enabled": False})
class Ratings:
    """The model and its APIs; one answer per ask."""

    def __init__(self) -> None:
        self.model = RatingModel()

    @bentoml.api(batchable=True, max_batch_size=64, max_latency_ms=1000)
    async def pair(self, asks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Single pairs."""
        return self.model.answer(asks)

    @bentoml.api(batchable=True, max_batch_size=64, max_latency_ms=1000)
    async def columns(self, asks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Columns of pairs; BentoML writes no arrays."""
        return [{"rating": short(answer["rating"])} for answer in self.model.answer(asks)]

    @bentoml.api(batchable=True, max_batch_size=64, max_latency_ms=1000)
    async def best(self, asks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The best of all movies."""
        return self.model.answer(asks)
