"""Checks whether a server's answer is right, by comparison with the in-process ratings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bench.peers.dialects import Answer, Ask
from model.artifact import Artifact
from model.asks import BestAnswer, BestAsk, ColumnsAnswer, ColumnsAsk
from model.predictor import Predictor

TOLERANCE = 1e-4


class WrongAnswerError(RuntimeError):
    """A server's rating differs from the model's."""


def asks_to_check(asks: Mapping[str, list[Ask]], artifact: Artifact) -> dict[str, list[Ask]]:
    """Some asks of each kind; in each kind, some have a user or a movie that the model does not know."""
    known = asks["pair"][0]
    unknown_user = int(artifact.user_ids.ids[-1]) + 1
    unknown_movie = int(artifact.movie_ids.ids[-1]) + 1
    unknown: list[Ask] = [
        {"user_id": unknown_user, "movie_id": unknown_movie},
        {"user_id": unknown_user, "movie_id": known["movie_id"]},
        {"user_id": known["user_id"], "movie_id": unknown_movie},
    ]
    first = asks["columns"][0]
    mixed = {
        "user_id": [*first["user_id"][:-10], *[unknown_user] * 10],
        "movie_id": [*first["movie_id"][:-10], *[unknown_movie] * 10],
    }
    columns = [mixed, *asks["columns"][:19]]
    return {
        "pair": [*asks["pair"][:200], *unknown],
        "columns": columns,
        "binary": columns,
        "best": [*asks["best"][:49], {**asks["best"][0], "user_id": unknown_user}],
    }


class Judge:
    """Compares answers with the in-process ratings."""

    def __init__(self, artifact: Artifact) -> None:
        self._predictor = Predictor(artifact)

    def check(self, ask: Ask, answered: Answer) -> None:
        """Compares every rating. For the best movies, it also compares the movies; equal ratings may swap places.

        Raises:
            WrongAnswerError: a rating is off by more than 1e-4, or there are too few or too many.
        """
        ratings, movies = answered
        if "top_k" in ask:
            assert movies is not None
            self._check_best(ask, ratings, movies)
        else:
            users = np.ravel(ask["user_id"]).tolist()
            _compare(ask, ratings, self._rate(users, np.ravel(ask["movie_id"]).tolist()))

    def _check_best(self, ask: Ask, ratings: Sequence[float], movies: list[int]) -> None:
        user = ask["user_id"]
        [best] = self._predictor.answer([BestAsk(user, top_k=ask["top_k"], exclude_seen=True)])
        assert isinstance(best, BestAnswer)
        _compare(ask, ratings, best.ratings.tolist())
        _compare(ask, ratings, self._rate([user] * len(movies), movies))
        if len(set(movies)) < len(movies):
            raise WrongAnswerError(f"{ask}: a movie is recommended twice: {movies}")

    def _rate(self, users: list[int], movies: list[int]) -> list[float]:
        [answer] = self._predictor.answer([ColumnsAsk(users, movies)])
        assert isinstance(answer, ColumnsAnswer)
        return [float(rating) for rating in answer.ratings]


def _compare(ask: Ask, answered: Sequence[float], expected: Sequence[float]) -> None:
    if len(answered) != len(expected):
        raise WrongAnswerError(f"{str(ask)[:100]}: got {len(answered)} ratings, expected {len(expected)}")
    worst = max(abs(one - other) for one, other in zip(answered, expected, strict=True))
    if not worst <= TOLERANCE:
        raise WrongAnswerError(f"{str(ask)[:100]}: off by {worst:g}, allowed {TOLERANCE:g}")
