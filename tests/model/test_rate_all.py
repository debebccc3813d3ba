"""Rating many users with many movies gives the same ratings as rating each pair, for every size of tile."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import model.scorer
from model.artifact import Artifact
from model.asks import BestAsk, Call, FoldInAsk, ServedModel
from model.factor_network import FactorNetwork
from model.scorer import Scorer


@pytest.mark.parametrize(("chunk", "tile_users"), [(4096, 16), (6, 2), (3, 3)])
def test_rating_all_pairs_equals_rating_each_pair(
    ranked_artifact: Artifact, chunk: int, tile_users: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model.scorer, "_TILE_USERS", tile_users)
    monkeypatch.setattr(model.scorer, "CHUNK_PAIRS", {"cpu": chunk})
    scorer = Scorer(ranked_artifact)
    users, movies = np.array([3, 0, 5, 1]), np.array([6, 2, 2, 0, 5])
    pairs = scorer.rate(np.repeat(users, len(movies)), np.tile(movies, len(users)))
    assert scorer.rate_all(users, movies) == pytest.approx(pairs.reshape(len(users), len(movies)), abs=1e-5)


def test_a_fold_in_user_has_a_row_in_the_table_of_all_pairs(ranked_artifact: Artifact) -> None:
    served = ServedModel.from_artifact(ranked_artifact)
    call = Call(served)
    user = FoldInAsk(BestAsk(None), [10_102], [9.0]).fold_in(served, call)
    table = served.scorer.rate_all(np.array([2, user.row]), np.array([0, 4]), call.fold_ins)
    pairs = served.scorer.rate(np.array([2, 2, user.row, user.row]), np.array([0, 4, 0, 4]), call.fold_ins)
    assert table.ravel() == pytest.approx(pairs, abs=1e-5)
    assert table[0] != pytest.approx(table[1])


def test_sketch_equals_the_head_of_a_linear_ordinal_network(factor_network: FactorNetwork) -> None:
    network = torch.jit.script(factor_network)
    users, movies = network.user_tower(torch.arange(21)), network.movie_tower(torch.arange(11))
    network.rating_weight = torch.tensor(1.0)  # only the rating block
    assert network.sketch(users.unsqueeze(1), movies.unsqueeze(0)) == pytest.approx(
        network.head(users.unsqueeze(1), movies.unsqueeze(0)), abs=1e-5
    )


def test_network_without_a_sketch_raises(artifact: Artifact) -> None:
    scorer = Scorer(replace(artifact))
    assert not scorer.can_sketch
    with pytest.raises(NotImplementedError, match="no sketch"):
        scorer.sketch_all(np.array([0]), np.array([0]))
