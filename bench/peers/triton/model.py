"""A model for Triton's Python backend. It rates all pairs of a batch together, and all requests for the best movies."""

import os
import sys
from typing import Any

sys.path[:0] = os.environ["PYTHONPATH"].split(os.pathsep)  # the backend's interpreter does not read PYTHONPATH

import numpy as np  # noqa: E402
import triton_python_backend_utils as pb  # noqa: E402

from bench.peers.rating_model import RatingModel  # noqa: E402


class TritonPythonModel:
    """Rates pairs if `movie_id` is given, and finds the best of all movies if `top_k` is given."""

    def initialize(self, _: dict[str, str]) -> None:
        """Loads the model."""
        self.model = RatingModel()

    def execute(self, requests: list[Any]) -> list[Any]:
        """One response for each request, in order."""
        responses: list[Any] = [None] * len(requests)
        pairs = []
        best = []
        for place, request in enumerate(requests):
            users = pb.get_input_tensor_by_name(request, "user_id").as_numpy()
            movies = pb.get_input_tensor_by_name(request, "movie_id")
            if movies is not None:
                pairs.append((place, users, movies.as_numpy()))
            else:
                top_k = pb.get_input_tensor_by_name(request, "top_k").as_numpy()
                best.append((place, users, int(top_k[0, 0])))
        if pairs:
            self._rate(pairs, responses)
        if best:
            self._find_best(best, responses)
        return responses

    def _rate(self, pairs: list[tuple[int, np.ndarray, np.ndarray]], responses: list[Any]) -> None:
        places, users, movies = zip(*pairs, strict=True)
        ratings = self.model.rate(np.concatenate(users)[:, 0], np.concatenate(movies)[:, 0])[:, None]
        start = 0
        for place, user in zip(places, users, strict=True):
            end = start + len(user)
            responses[place] = _response(rating=ratings[start:end])
            start = end

    def _find_best(self, best: list[tuple[int, np.ndarray, int]], responses: list[Any]) -> None:
        users = np.concatenate([user for _, user, _ in best])[:, 0]
        movies, ratings = self.model.best(users, max(top_k for *_, top_k in best))
        start = 0
        for place, user, top_k in best:
            end = start + len(user)
            responses[place] = _response(movie_id=movies[start:end, :top_k], rating=ratings[start:end, :top_k])
            start = end


def _response(**outputs: np.ndarray) -> Any:
    return pb.InferenceResponse([pb.Tensor(name, array) for name, array in outputs.items()])
