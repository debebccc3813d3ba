"""Every tensor of an answer is made where the model is.

No GPU is needed to see it: with `meta` as the default device, a tensor that was made without saying where would be
there, and could not be combined with the model's, which are on the processor.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from model.artifact import Artifact
from model.asks import Ask, BestAsk, ColumnsAsk, ExplainAsk, FoldInAsk, PairAsk, SimilarAsk
from model.ids import IdMap
from model.interest import Interest, interests_of, read_interest
from model.picks import Picks
from model.predictor import Predictor
from model.scorer import Scorer
from tests.conftest import MOVIE_IDS, USER_IDS
from tests.model.conftest import NUM_MOVIES, NUM_USERS, random_factor_network

ASKS: list[Ask] = [
    PairAsk(USER_IDS[3], MOVIE_IDS[1]),
    ColumnsAsk([*USER_IDS, 5], MOVIE_IDS),
    BestAsk(USER_IDS[3], rank_by="blend", exclude_seen=True, novelty=0.5),
    ExplainAsk(USER_IDS[3], MOVIE_IDS[1]),
    SimilarAsk(MOVIE_IDS[0], 3),
]
FOLD_INS: list[Ask] = [
    FoldInAsk(PairAsk(USER_IDS[3], MOVIE_IDS[1]), MOVIE_IDS[:2], [2.0, 9.0]),
    FoldInAsk(BestAsk(None, rank_by="blend"), MOVIE_IDS[:2], [8.0, 1.0]),
    FoldInAsk(ExplainAsk(None, MOVIE_IDS[3]), MOVIE_IDS[:2], [8.0, 1.0]),
]


def told(predictor: Predictor, asks: list[Ask]) -> str:
    """The answers, with what they hold."""
    return repr(predictor.answer(asks))


@pytest.mark.parametrize("encodes", [False, True], ids=["no encoder", "encoder"])
def test_answers_are_made_where_the_model_is(artifact: Artifact, ranked_artifact: Artifact, encodes: bool) -> None:
    served = ranked_artifact if encodes else replace(artifact, interest=ranked_artifact.interest)
    asks = [*ASKS, *(FOLD_INS if encodes else [])]
    expected = told(on_modules(Predictor(served)), asks)
    with torch.device("meta"):
        assert told(on_modules(Predictor(served)), asks) == expected


def on_modules(predictor: Predictor) -> Predictor:
    """The predictor, with the interest computed by its module, as on a GPU."""
    assert predictor.model.ranking is not None
    predictor.model.ranking._rows = None
    return predictor


def test_interest_of_an_earlier_release_is_completed_where_it_is(ranked_artifact: Artifact) -> None:
    """It has neither lists of neighbours nor the strength of an event."""
    whole = ranked_artifact.interest
    assert whole is not None
    stored = nn.Module()
    for name, buffer in whole.named_buffers(recurse=False):
        if name != "event":
            stored.register_buffer(name, buffer)
    picks = Picks(np.array([0, 4], dtype=np.int32), np.array([9.0, 8.0], dtype=np.float32))
    with torch.device("meta"):
        found = read_interest(stored)
        assert torch.equal(interests_of(found, [picks]), interests_of(whole, [picks]))
        assert torch.equal(*(shares_of(one) for one in (found, whole)))


def shares_of(interest: Interest) -> torch.Tensor:
    movies, strength = (torch.from_numpy(array) for array in (np.array([0, 4]), np.array([1.0, 2.0], dtype=np.float32)))
    return interest.shares(movies, strength, 1)


def test_lists_and_vectors_of_the_default_network_are_made_where_it_is(artifact: Artifact) -> None:
    network = random_factor_network()
    users, movies = (IdMap(np.arange(number)) for number in (NUM_USERS, NUM_MOVIES))
    with torch.device("meta"):
        scorer = Scorer(replace(artifact, network=network, user_ids=users, movie_ids=movies))
        rows = np.arange(5)
        assert np.isfinite(scorer.rate_all(rows, rows)).all()
        assert np.isfinite(scorer.sketch_all(rows, rows)).all()
        assert bool(torch.isfinite(scorer.encode(rows, np.full(5, 8.0))).all())
