"""What the served section asks for: pairs one by one, and columns, over several numbers of connections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bench.peers.dialects import tensors
from bench.workloads import PAIRS, PATH, workloads
from model.artifact import Artifact

CONNECTIONS = (1, 64, 256)
# Pairs in a request, to find from which on a GPU pays; one request can have no more. So many connections ask for them.
SIZES = (1, 100, 1_000, 10_000, 100_000)
SIZES_CONNECTIONS = 4
_SMALL_CONNECTIONS, _SMALL_SIZES = (1, 8), (1, 100, 1_000)
_BODIES_OF_A_SIZE = 8
_SEED = 1234


class Asked(NamedTuple):
    """One load: requests for `pairs` pairs each, over so many connections."""

    bodies: Sequence[bytes]
    pairs: int
    connections: int

    def __str__(self) -> str:
        what = "pairs one by one" if self.pairs == 1 else f"columns of {self.pairs:,}"
        return f"{what}, {self.connections} connection{'s' * (self.connections > 1)}"


def loads(artifact: Artifact, small: bool) -> list[Asked]:
    """The loads of every kind of workers."""
    drawn = workloads(artifact)
    numbers, sizes = (_SMALL_CONNECTIONS, _SMALL_SIZES) if small else (CONNECTIONS, SIZES)
    pair, columns = drawn["pair"].bodies, drawn["columns"].bodies
    by_size = {size: pair if size == 1 else _columns(artifact, size) for size in sizes}
    return [
        *(Asked(pair, 1, number) for number in numbers),
        *(Asked(columns, PAIRS, number) for number in numbers),
        *(Asked(bodies, size, SIZES_CONNECTIONS) for size, bodies in by_size.items()),
    ]


def _columns(artifact: Artifact, size: int) -> list[bytes]:
    generator = np.random.default_rng(_SEED)
    write = tensors(PATH, rank=1).write
    asks = [
        {
            "user_id": generator.choice(artifact.user_ids.ids, size).tolist(),
            "movie_id": generator.choice(artifact.movie_ids.ids, size).tolist(),
        }
        for _ in range(_BODIES_OF_A_SIZE)
    ]
    return [write(ask) for ask in asks]
