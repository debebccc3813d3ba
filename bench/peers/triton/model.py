"""A model of Triton's Python backend: a batch's pairs go through the network in one forward."""

import os
import sys
from typing import Any

sys.path[:0] = os.environ["PYTHONPATH"].split(os.pathsep)  # the backend's own interpreter leaves it unread

import numpy as np  # noqa: E402
import triton_python_backend_utils as pb  # noqa: E402

from bench.peers.rating_model import RatingModel  # noqa: E402


class TritonPythonModel:
    """Pairs where `movie_id` is given, the best of all movies where `top_k` is."""

    def initialize(self, _: dict[str, str]) -> None:
        """Loads the model."""
        self.model = RatingModel()

    def execute(self, requests: list[Any]) -> list[Any]:
        """One response per request, in order."""
        responses: list[Any] = [None] * len(requests)
        pairs = []
        for place, request in enumerate(requests):
            user = pb.get_input_tensor_by_name(request, "user_id").as_numpy()
            movie = pb.get_input_tensor_by_name(request, "movie_id")
            if movie is not None:
                pairs.append((place, user, movie.as_numpy()))
                continue
            top_k = int(pb.get_input_tensor_by_name(request, "top_k").as_numpy()[0, 0])
            best, scores = self.model.best(user[:, 0], top_k)
            responses[place] = _response(rating=scores, movie_id=best)
        if pairs:
            places, users, movies = zip(*pairs, strict=True)
            ratings = self.model.rate(np.concatenate(users)[:, 0], np.concatenate(movies)[:, 0])[:, None]
            start = 0
            for place, user in zip(places, users, strict=True):
                responses[place] = _response(rating=ratings[start : start + len(user)])
                start += len(user)
        return responses


def _response(**outputs: np.ndarray) -> Any:
    return pb.InferenceResponse([pb.Tensor(name, array) for name, array in outputs.items()])
