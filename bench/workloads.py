"""The requests to the servers: drawn from a model's own ids, and the same for every server."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from bench.peers.dialects import Ask, tensors
from model.archive import NAME
from model.artifact import Artifact

PATH = f"/predictions/{NAME}"
PAIRS = 1_000
TOP_K = 10
WORKLOADS = ("pair", "instances", "columns", "best", "similar")
_SEED = 1234


@dataclass(frozen=True)
class Workload:
    """Bodies that are sent to PATH in turn; each asks for `pairs` ratings."""

    bodies: list[bytes]
    pairs: int


def draw_asks(artifact: Artifact) -> dict[str, list[Ask]]:
    """Requests by kind, as plain values.

    `pair` is a user and a movie; `columns` are 1,000 of each; `binary` are the same, to be sent as raw tensors; `best`
    asks for the ten best of all movies for a user.
    """
    generator = random.Random(_SEED)
    users = artifact.user_ids.ids.tolist()
    movies = artifact.movie_ids.ids.tolist()

    def pair() -> Ask:
        return {"user_id": generator.choice(users), "movie_id": generator.choice(movies)}

    def columns() -> Ask:
        return {"user_id": generator.choices(users, k=PAIRS), "movie_id": generator.choices(movies, k=PAIRS)}

    def best() -> Ask:
        return {"user_id": generator.choice(users), "top_k": TOP_K}

    drawn = {"pair": [pair() for _ in range(20_000)], "columns": [columns() for _ in range(50)]}
    return {**drawn, "binary": drawn["columns"], "best": [best() for _ in range(20_000)]}


def workloads(artifact: Artifact) -> dict[str, Workload]:
    """Requests as this project's clients send them, by the names in WORKLOADS.

    They are those of `draw_asks`. `instances` are the pairs of `columns`, one by one. `similar` asks for the ten movies
    that are nearest to a movie, which compares it with all others.
    """
    asks = draw_asks(artifact)
    in_columns = tensors(PATH, rank=1)
    drawn = random.Random(_SEED).choices(artifact.movie_ids.ids.tolist(), k=20_000)
    return {
        "pair": Workload(_as_json(asks["pair"]), 1),
        "instances": Workload(_as_json([_instances(ask) for ask in asks["columns"]]), PAIRS),
        "columns": Workload([in_columns.write(ask) for ask in asks["columns"]], PAIRS),
        "best": Workload(_as_json(asks["best"]), len(artifact.movie_ids)),
        "similar": Workload(
            _as_json([{"movie_id": movie, "similar": TOP_K} for movie in drawn]), len(artifact.movie_ids)
        ),
    }


def _instances(columns: Ask) -> Ask:
    pairs = zip(columns["user_id"], columns["movie_id"], strict=True)
    return {"instances": [{"user_id": user, "movie_id": movie} for user, movie in pairs]}


def _as_json(asks: Sequence[Ask]) -> list[bytes]:
    return [orjson.dumps(ask) for ask in asks]
