"""A user who sends ratings along is answered from them, with no training."""

from typing import Any

import numpy as np
import pytest
import torch

from model.artifact import Artifact
from model.asks import Ask, BestAnswer, BestAsk, FoldInAnswer, FoldInAsk, PairAsk
from model.predictor import Predictor


@pytest.fixture
def predictor(encoding_artifact: Artifact) -> Predictor:
    return Predictor(encoding_artifact)


def fold_in(predictor: Predictor, ask: PairAsk | BestAsk, given: dict[int, float]) -> Any:
    [answer] = predictor.answer([FoldInAsk(ask, list(given), list(given.values()))])
    assert isinstance(answer, FoldInAnswer)
    return answer


def expected(predictor: Predictor, rated: dict[int, float], movie: int) -> float:
    """Of movies by row."""
    network = predictor.scorer
    vector = network.encode(np.array(list(rated), dtype=np.int64), np.array(list(rated.values())))
    unit = network.head(vector.unsqueeze(0), network.movie_tower(torch.tensor([movie])))
    return 1 + 9 * float(unit.detach())


def test_a_new_user_is_rated_by_the_ratings_sent(predictor: Predictor) -> None:
    answer = fold_in(predictor, PairAsk(None, 10_253), {3: 9.0, 10_102: 2.0})
    assert answer.answer.rating == pytest.approx(expected(predictor, {0: 9.0, 2: 2.0}, 3), abs=1e-5)
    assert answer.answer[1:] == (True, True)


def test_a_known_users_history_is_added_to_and_replaced(predictor: Predictor) -> None:
    answer = fold_in(predictor, PairAsk(11_242, 10_253), {3: 1.0, 10_102: 2.0})
    assert answer.answer.rating == pytest.approx(expected(predictor, {4: 9.0, 0: 1.0, 2: 2.0}, 3), abs=1e-5)


def test_nothing_sent_is_the_empty_history(predictor: Predictor) -> None:
    answer = fold_in(predictor, PairAsk(None, 3), {})
    assert answer.answer.rating == pytest.approx(expected(predictor, {}, 0), abs=1e-5)


def test_unknown_movies_tell_nothing_and_are_told(predictor: Predictor) -> None:
    answer = fold_in(predictor, PairAsk(None, 3), {99: 10.0, 10_102: 2.0})
    assert answer.movies_known.tolist() == [False, True]
    assert answer.answer == fold_in(predictor, PairAsk(None, 3), {10_102: 2.0}).answer


def test_recommendations_leave_out_what_was_sent_and_seen(predictor: Predictor) -> None:
    answer = fold_in(predictor, BestAsk(11_242, exclude_seen=True), {10_102: 2.0}).answer
    assert isinstance(answer, BestAnswer)
    assert set(answer.movie_ids) == {10_007, 10_253, 2**62}


def test_a_batch_of_guests_and_known_users_equals_its_members(predictor: Predictor) -> None:
    asks: list[Ask] = [
        FoldInAsk(PairAsk(None, 3), [10_102], [2.0]),
        PairAsk(7, 3),
        FoldInAsk(BestAsk(None, top_k=2), [10_007], [9.0]),
        FoldInAsk(PairAsk(7, 10_253), [3], [9.0]),
    ]
    for ask, together in zip(asks, predictor.answer(asks), strict=True):
        [alone] = predictor.answer([ask])
        one, other = (got.answer if isinstance(got, FoldInAnswer) else got for got in (alone, together))
        ratings = [got.ratings if isinstance(got, BestAnswer) else got[0] for got in (one, other)]
        assert ratings[0] == pytest.approx(ratings[1], abs=1e-5)


def test_a_network_without_an_encoder_says_so(artifact: Artifact) -> None:
    assert not Predictor(artifact).scorer.can_encode
    with pytest.raises(NotImplementedError, match="no encoder"):
        fold_in(Predictor(artifact), PairAsk(None, 3), {})
