"""What is asked: bodies for each kind of request, drawn from a model's own ids, the same for every server."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import orjson

from model.artifact import Artifact

PAIRS = 1_000
_SEED = 1234


@dataclass(frozen=True)
class Workload:
    """Bodies to be sent in turn, to this path of the inference address; each asks for `pairs` ratings."""

    name: str
    path: str
    bodies: list[bytes]
    pairs: int


def workloads(artifact: Artifact) -> dict[str, Workload]:
    """One pair, 1,000 pairs as instances and as columns, and the ten best of all movies."""
    generator = random.Random(_SEED)
    users, movies = artifact.user_ids.ids.tolist(), artifact.movie_ids.ids.tolist()

    def pair() -> dict[str, int]:
        return {"user_id": generator.choice(users), "movie_id": generator.choice(movies)}

    def column(name: str, ids: list[int]) -> dict[str, object]:
        return {"name": name, "shape": [PAIRS], "datatype": "INT64", "data": generator.choices(ids, k=PAIRS)}

    def made(name: str, path: str, make: Callable[[], object], number: int, pairs: int) -> Workload:
        return Workload(name, path, [orjson.dumps(make()) for _ in range(number)], pairs)

    predict = "/predictions/ncf"
    found = (
        made("pair", predict, pair, 20_000, 1),
        made("instances", predict, lambda: {"instances": [pair() for _ in range(PAIRS)]}, 50, PAIRS),
        made("columns", predict, lambda: {"inputs": [column("user_id", users), column("movie_id", movies)]}, 50, PAIRS),
        made("best", predict, lambda: {"user_id": generator.choice(users), "top_k": 10}, 20_000, len(movies)),
    )
    return {workload.name: workload for workload in found}
