"""A model of Triton's Python backend: a batch's pairs, and its users whose best is asked for, are rated together."""

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
        pairs, best = [], []
        for place, request in enumerate(requests):
            user = pb.get_input_tensor_by_name(request, "user_id").as_numpy()
            movie = pb.get_input_tensor_by_name(request, "movie_id")
            if movie is not None:
                pairs.append((place, user, movie.as_numpy()))
                continue
            best.append((place, user, int(pb.get_input_tensor_by_name(request, "top_k").as_numpy()[0, 0])))
        if best:
            found = self.model.best(
                np.concatenate([user for _, user, _ in best])[:, 0], max(top_k for *_, top_k in best)
            )
            start = 0
            for place, user, top_k in best:
                rows = slice(start, start + len(user))
                responses[place] = _response(movie_id=found[0][rows, :top_k], rating=found[1][rows, :top_k])
                start += len(user)
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
