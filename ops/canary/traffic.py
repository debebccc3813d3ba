"""Requests for the trial of a version: recorded ones, or ones drawn from its users' ratings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import orjson

if TYPE_CHECKING:  # this import would load torch, which recorded requests do not need
    from model.artifact import Artifact

TOP_K = 10
# Of ten drawn requests, this many ask for the best of all movies; the others ask for one pair.
_BEST_OF_TEN = 2


def read_requests(path: Path) -> list[bytes]:
    """One body per line.

    Raises:
        ValueError: a line is not a JSON object; the message names file and line.
    """
    bodies = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            body = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise ValueError(f"{path}:{number}: not valid JSON: {error}") from error
        if not isinstance(body, dict):
            raise ValueError(f"{path}:{number}: expected an object, as in the body of a request")
        bodies.append(line)
    if not bodies:
        raise ValueError(f"{path}: contains no request")
    return bodies


def draw_requests(artifact: Artifact, number: int, item_id: str, seed: int = 0) -> list[bytes]:
    """Draws requests: each user as often as they rated; for one movie of the catalogue, or for the best of all movies.

    item_id: the field with a movie's id in the requests.
    """
    generator = np.random.default_rng(seed)
    ratings = generator.integers(len(artifact.history.movie_index), size=number)
    users = artifact.user_ids.raw(np.searchsorted(artifact.history.offsets, ratings, side="right") - 1)
    movies = artifact.movie_ids.raw(generator.integers(len(artifact.movie_ids), size=number))
    bodies = []
    for place, (user, movie) in enumerate(zip(users, movies, strict=True)):
        asked = {"top_k": TOP_K} if place % 10 < _BEST_OF_TEN else {item_id: movie}
        bodies.append(orjson.dumps({"user_id": user, **asked}))
    return bodies
