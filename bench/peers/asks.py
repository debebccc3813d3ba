"""What every server is asked, as plain values, drawn from the model's own ids; and whether an answer is right."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bench.peers.dialects import Ask, Told
from bench.workloads import PAIRS
from model.artifact import Artifact
from model.asks import BestAsk, ColumnsAnswer, ColumnsAsk
from model.predictor import Predictor

KINDS = ("pair", "columns", "binary", "best")
TOP_K = 10
TOLERANCE = 1e-4
_SEED = 1234
_NUMBER = {"pair": 10_000, "columns": 50, "best": 2_000}


class WrongAnswerError(RuntimeError):
    """A server's rating is not the model's."""


def draw_asks(artifact: Artifact) -> dict[str, list[Ask]]:
    """Asks by kind; `binary` are the columns again."""
    generator = random.Random(_SEED)
    users, movies = artifact.user_ids.ids.tolist(), artifact.movie_ids.ids.tolist()

    def pair() -> Ask:
        return {"user_id": generator.choice(users), "movie_id": generator.choice(movies)}

    def columns() -> Ask:
        return {"user_id": generator.choices(users, k=PAIRS), "movie_id": generator.choices(movies, k=PAIRS)}

    drawn: dict[str, list[Ask]] = {
        "pair": [pair() for _ in range(_NUMBER["pair"])],
        "columns": [columns() for _ in range(_NUMBER["columns"])],
        "best": [{"user_id": generator.choice(users), "top_k": TOP_K} for _ in range(_NUMBER["best"])],
    }
    return {**drawn, "binary": drawn["columns"]}


def to_check(asks: Mapping[str, list[Ask]], artifact: Artifact) -> dict[str, list[Ask]]:
    """Some of each kind, and in each some whose user, movie or both the training did not hold."""
    known = asks["pair"][0]
    unknown = (int(ids.ids[-1]) + 1 for ids in (artifact.user_ids, artifact.movie_ids))
    stranger: Ask = dict(zip(("user_id", "movie_id"), unknown, strict=True))
    strange: list[Ask] = [
        stranger,
        {**known, "user_id": stranger["user_id"]},
        {**stranger, "user_id": known["user_id"]},
    ]
    mixed = {name: [*column[:-10], *[stranger[name]] * 10] for name, column in asks["columns"][0].items()}
    columns = [mixed, *asks["columns"][:19]]
    return {
        "pair": [*asks["pair"][:200], *strange],
        "columns": columns,
        "binary": columns,
        "best": [*asks["best"][:49], {**asks["best"][0], "user_id": stranger["user_id"]}],
    }


class Judge:
    """Knows the in-process ratings."""

    def __init__(self, artifact: Artifact) -> None:
        self._predictor = Predictor(artifact)

    def check(self, ask: Ask, told: Told) -> None:
        """Compares every rating, and of the best also which movies they are (equal ratings may change places).

        Raises:
            WrongAnswerError: a rating is off by more than 1e-4, or there are too few or too many.
        """
        ratings, movies = told
        if "top_k" not in ask:
            user, movie = (np.ravel(ask[name]).tolist() for name in ("user_id", "movie_id"))
            _compare(ask, ratings, self._rate(user, movie))
            return
        [best] = self._predictor.answer([BestAsk(ask["user_id"], None, ask["top_k"], exclude_seen=True)])
        _compare(ask, ratings, best.ratings.tolist())  # type: ignore[union-attr]
        assert movies is not None
        _compare(ask, ratings, self._rate([ask["user_id"]] * len(movies), movies))
        if len(set(movies)) < len(movies):
            raise WrongAnswerError(f"{ask}: a movie is recommended twice: {movies}")

    def _rate(self, users: list[int], movies: list[int]) -> list[float]:
        [answer] = self._predictor.answer([ColumnsAsk(users, movies)])
        assert isinstance(answer, ColumnsAnswer)
        return [float(rating) for rating in answer.ratings]


def _compare(ask: Any, told: Sequence[float], expected: Sequence[float]) -> None:
    if len(told) != len(expected):
        raise WrongAnswerError(f"{ask}: {len(told)} ratings, expected {len(expected)}")
    worst = max(abs(one - other) for one, other in zip(told, expected, strict=True))
    if not worst <= TOLERANCE:
        raise WrongAnswerError(f"{str(ask)[:100]}: off by {worst:g}, allowed {TOLERANCE:g}")
