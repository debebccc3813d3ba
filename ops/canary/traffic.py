"""Requests to try a version with: recorded ones, or drawn by what its users rated."""

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

    Where a version knows no ratings, as an adopted one may, each user is drawn equally often.

    item_id: what the requests call a movie's id.
    """
    generator = np.random.default_rng(seed)
    users = artifact.user_ids.raw(_draw_users(artifact, number, generator))
    movies = artifact.movie_ids.raw(generator.integers(len(artifact.movie_ids), size=number))
    bodies = []
    for place, (user, movie) in enumerate(zip(users, movies, strict=True)):
        asked = {"top_k": TOP_K} if place % 10 < _BEST_OF_TEN else {item_id: movie}
        bodies.append(orjson.dumps({"user_id": user, **asked}))
    return bodies


def _draw_users(artifact: Artifact, number: int, generator: np.random.Generator) -> np.ndarray:
    """(number,) rows of users."""
    num_ratings = len(artifact.history.movie_index)
    if not num_ratings:
        return generator.integers(len(artifact.user_ids), size=number)
    ratings = generator.integers(num_ratings, size=number)
    rows: np.ndarray = np.searchsorted(artifact.history.offsets, ratings, side="right") - 1
    return rows
