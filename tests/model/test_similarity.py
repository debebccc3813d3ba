"""Cosines of movies. If there are too many vectors to keep, they are computed in chunks, with the same results."""

import numpy as np
import pytest
import torch
from torch import Tensor

from model import similarity
from model.similarity import Similarity

CPU = torch.device("cpu")


class Vectors:
    """A network's movie vectors; it records the number of rows in each call."""

    def __init__(self) -> None:
        self.table = torch.randn(11, 3, generator=torch.Generator().manual_seed(0))
        self.asked: list[int] = []

    def movie_vectors(self, rows: Tensor) -> Tensor:
        """(B,) rows -> (B, 3)."""
        self.asked.append(len(rows))
        return self.table[rows]


def test_cosines_in_chunks_equal_cosines_in_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Vectors()
    kept = Similarity(network.movie_vectors, 10, CPU)
    monkeypatch.setattr(similarity, "_KEPT_MIB", 0)
    monkeypatch.setattr(similarity, "_CHUNK_MOVIES", 4)
    network.asked.clear()
    chunked = Similarity(network.movie_vectors, 10, CPU)
    for row in range(10):
        assert chunked.cosines(row) == pytest.approx(kept.cosines(row), abs=1e-6)
        assert np.argmax(chunked.cosines(row)) == row
    assert max(network.asked) == 4
