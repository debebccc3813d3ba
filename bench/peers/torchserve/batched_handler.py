"""A batching handler without BaseHandler: one forward pass for all requests of a batch, answers as bytes."""

from typing import Any

import orjson
from ts.context import Context

from bench.peers.rating_model import RatingModel


class BatchedHandler:
    """Answers any asks as JSON."""

    def initialize(self, _: Context) -> None:
        """Loads the model."""
        self.model = RatingModel()
        self.initialized = True

    def handle(self, data: list[dict[str, Any]], context: Context) -> list[bytes]:
        """One answer for each request; TorchServe has parsed the bodies."""
        for place in range(len(data)):
            context.set_response_content_type(place, "application/json")
        answers = self.model.answer([row["body"] for row in data])
        return [orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY) for answer in answers]
