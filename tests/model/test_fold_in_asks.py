"""Answers for a user who sends ratings use these ratings, without training."""

from typing import Any

import numpy as np
import pytest
import torch

from model.artifact import Artifact
from model.asks import Answer, Ask, BestAnswer, BestAsk, FoldInAnswer, FoldInAsk, PairAnswer, PairAsk
from model.predictor import Predictor


@pytest.fixture
def predictor(ranked_artifact: Artifact) -> Predictor:
    return Predictor(ranked_artifact)


def fold_in(predictor: Predictor, ask: PairAsk | BestAsk, given: dict[int, float]) -> Any:
    [answer] = predictor.answer([FoldInAsk(ask, list(given), list(given.values()))])
    assert isinstance(answer, FoldInAnswer)
    return answer


def expected(predictor: Predictor, rated: dict[int, float], movie: int) -> float:
    """The raw ids of these movie rows."""
    network = predictor.scorer
    vector = network.encode(np.array(list(rated), dtype=np.int64), np.array(list(rated.values())))
    unit = network.head(vector.unsqueeze(0), network.movie_tower(torch.tensor([movie])))
    return 1 + 9 * float(unit.detach())


def test_sent_ratings_fold_in_a_new_user(predictor: Predictor) -> None:
    answer = fold_in(predictor, PairAsk(None, 10_253), {3: 9.0, 10_102: 2.0})
    assert answer.answer.rating == pytest.approx(expected(predictor, {0: 9.0, 2: 2.0}, 3), abs=1e-5)
    assert answer.answer[1:] == (True, True)


def test_sent_ratings_add_to_and_replace_a_known_users_ratings(predictor: Predictor) -> None:
    answer = fold_in(predictor, PairAsk(11_242, 10_253), {3: 1.0, 10_102: 2.0})
    assert answer.answer.rating == pytest.approx(expected(predictor, {4: 9.0, 0: 1.0, 2: 2.0}, 3), abs=1e-5)


def test_empty_list_of_ratings_is_an_empty_history(predictor: Predictor) -> None:
    answer = fold_in(predictor, PairAsk(None, 3), {})
    assert answer.answer.rating == pytest.approx(expected(predictor, {}, 0), abs=1e-5)


def test_ratings_of_unknown_movies_are_ignored_and_flagged(predictor: Predictor) -> None:
    answer = fold_in(predictor, PairAsk(None, 3), {99: 10.0, 10_102: 2.0})
    assert answer.movies_known.tolist() == [False, True]
    assert answer.answer == fold_in(predictor, PairAsk(None, 3), {10_102: 2.0}).answer


def test_exclude_seen_excludes_sent_and_stored_ratings(predictor: Predictor) -> None:
    answer = fold_in(predictor, BestAsk(11_242, exclude_seen=True), {10_102: 2.0}).answer
    assert isinstance(answer, BestAnswer)
    assert set(answer.movie_ids) == {10_007, 10_253, 2**62}


def ratings_of(answer: Answer) -> list[float]:
    if isinstance(answer, BestAnswer):
        ratings: list[float] = answer.ratings.tolist()
        return ratings
    assert isinstance(answer, PairAnswer)
    return [answer.rating]


def test_batch_of_fold_in_and_known_users_gives_the_same_answers_as_single_asks(predictor: Predictor) -> None:
    asks: list[Ask] = [
        FoldInAsk(PairAsk(None, 3), [10_102], [2.0]),
        PairAsk(7, 3),
        FoldInAsk(BestAsk(None, top_k=2), [10_007], [9.0]),
        FoldInAsk(PairAsk(7, 10_253), [3], [9.0]),
    ]
    for ask, together in zip(asks, predictor.answer(asks), strict=True):
        [alone] = predictor.answer([ask])
        one, other = (got.answer if isinstance(got, FoldInAnswer) else got for got in (alone, together))
        assert ratings_of(one) == pytest.approx(ratings_of(other), abs=1e-5)


def test_network_without_an_encoder_raises(artifact: Artifact) -> None:
    assert not Predictor(artifact).scorer.can_encode
    with pytest.raises(NotImplementedError, match="no encoder"):
        fold_in(Predictor(artifact), PairAsk(None, 3), {})
