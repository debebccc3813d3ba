"""BentoML: a batchable API, whose dispatcher joins the lists of waiting requests."""

from typing import Any

import bentoml

from bench.peers.rating_model import RatingModel


@bentoml.service(workers=1, logging={"access": {"enabled": False}}, metrics={"enabled": False})
class Ratings:
    """The model and its one API."""

    def __init__(self) -> None:
        self.model = RatingModel()

    @bentoml.api(batchable=True, max_batch_size=64, max_latency_ms=1000)
    async def predict(self, asks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """One answer per ask."""
        return self.model.answer(asks)
