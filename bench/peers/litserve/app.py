"""LitServe: asks are batched between two HTTP processes and the one worker."""

import sys
from typing import Any

import litserve
import orjson
from fastapi import Response

from bench.peers.rating_model import RatingModel


class Ratings(litserve.LitAPI):
    """One batch of asks, one forward."""

    def setup(self, _: str) -> None:
        """Loads the model in the worker."""
        self.model = RatingModel()

    def batch(self, inputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Asks stay a list."""
        return inputs

    def predict(self, x: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Answers a batch; without batching LitServe hands over one ask."""
        return self.model.answer(x)

    def unbatch(self, output: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Answers are a list."""
        return output

    def encode_response(self, output: dict[str, Any]) -> Response:
        """orjson, where FastAPI's own encoder goes through every number."""
        return Response(orjson.dumps(output, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")


if __name__ == "__main__":
    api = Ratings(max_batch_size=64, batch_timeout=0.001)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    quiet = {"log_level": "error", "access_log": False, "generate_client_file": False}
    server.run(host="127.0.0.1", port=int(sys.argv[1]), num_api_servers=2, **quiet)
