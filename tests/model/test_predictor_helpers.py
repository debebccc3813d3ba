"""The predictor's short methods for notebooks give the same answers as the asks."""

from __future__ import annotations

import pytest

from model.artifact import Artifact
from model.asks import BestAnswer, BestAsk, PairAsk
from model.predictor import Predictor
from model.ranking import RankBy
from tests.conftest import MOVIE_IDS, USER_IDS


def test_rate_gives_the_answer_of_a_pair_ask(artifact: Artifact) -> None:
    predictor = Predictor(artifact)
    assert predictor.rate(USER_IDS[1], MOVIE_IDS[2]) == predictor.answer([PairAsk(USER_IDS[1], MOVIE_IDS[2])])[0]
    assert not predictor.rate(5, MOVIE_IDS[2]).user_known


@pytest.mark.parametrize("rank_by", ["rating", "blend"])
def test_best_ranks_as_the_server_does(artifact: Artifact, ranked_artifact: Artifact, rank_by: RankBy) -> None:
    predictor = Predictor(artifact if rank_by == "rating" else ranked_artifact)
    user = USER_IDS[3]
    [answer] = predictor.answer([BestAsk(user, top_k=2, exclude_seen=True, rank_by=rank_by)])
    assert isinstance(answer, BestAnswer)
    found = predictor.best(user, top_k=2)
    assert [one.movie_id for one in found] == list(answer.movie_ids)
    assert [one.rating for one in found] == pytest.approx(answer.ratings.tolist())
    assert [one.score for one in found] == pytest.approx(answer.scores.tolist())
    assert [one.title for one in found] == [f"Movie {MOVIE_IDS.index(one.movie_id)}" for one in found]


def test_best_leaves_out_rated_movies_by_default(artifact: Artifact) -> None:
    predictor = Predictor(artifact)
    user = USER_IDS[3]  # who rated two movies
    assert len(predictor.best(user)) == len(MOVIE_IDS) - 2
    assert len(predictor.best(user, exclude_seen=False)) == len(MOVIE_IDS)
