"""Cosines of movies: computed in chunks where the vectors are too many to be kept, and the same as all at once."""

import numpy as np
import pytest
import torch
from torch import Tensor

from model import similarity
from model.similarity import Similarity

CPU = torch.device("cpu")


class Vectors:
    """A network's movie vectors, and how many rows were asked for at once."""

    def __init__(self) -> None:
        self.table = torch.randn(11, 3, generator=torch.Generator().manual_seed(0))
        self.asked: list[int] = []

    def movie_vectors(self, rows: Tensor) -> Tensor:
        """(B,) rows -> (B, 3)."""
        self.asked.append(len(rows))
        return self.table[rows]


def test_chunks_give_the_cosines_of_all_at_once_and_ask_for_few_rows_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
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
