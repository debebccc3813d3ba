from dataclasses import replace

import numpy as np
import pytest
import torch

import model.scorer
from model.artifact import Artifact
from model.asks import Ask, BestAnswer, BestAsk, PairAnswer, PairAsk, ServedModel
from model.asks.best import Candidates, rank, same_for_same
from model.predictor import Predictor
from tests.conftest import MOVIE_IDS, USER_IDS


@pytest.fixture
def predictor(artifact: Artifact) -> Predictor:
    return Predictor(artifact)


def rating(predictor: Predictor, user_id: int, movie_id: int) -> float:
    [answer] = predictor.answer([PairAsk(user_id, movie_id)])
    assert isinstance(answer, PairAnswer)
    return answer.rating


def best(predictor: Predictor, ask: BestAsk) -> BestAnswer:
    [answer] = predictor.answer([ask])
    assert isinstance(answer, BestAnswer)
    return answer


def test_rating_is_the_networks_unit_score_on_the_data_scale(artifact: Artifact, predictor: Predictor) -> None:
    for row, user_id in enumerate(USER_IDS):
        for column, movie_id in enumerate(MOVIE_IDS):
            unit = float(artifact.network(torch.tensor([row]), torch.tensor([column])).detach())
            assert rating(predictor, user_id, movie_id) == pytest.approx(1 + 9 * unit, abs=1e-5)


def test_batch_gives_the_same_answers_as_single_asks(predictor: Predictor) -> None:
    asks: list[Ask] = [
        PairAsk(7, 3),
        BestAsk(11_242, [10_253, 5, 3], top_k=2),
        PairAsk(6, 10_007),
        BestAsk(0, top_k=3),
        BestAsk(11_242, exclude_seen=True, genres=["Drama"]),
        PairAsk(2**40, 2**62),
    ]
    for ask, together in zip(asks, predictor.answer(asks), strict=True):
        [alone] = predictor.answer([ask])
        if isinstance(alone, PairAnswer):
            assert together == pytest.approx(alone, abs=1e-5)
        else:
            assert isinstance(alone, BestAnswer)
            assert isinstance(together, BestAnswer)
            assert together.movie_ids == alone.movie_ids
            assert together.ratings == pytest.approx(alone.ratings, abs=1e-5)


def test_no_asks_get_no_answers(predictor: Predictor) -> None:
    assert predictor.answer([]) == []


def test_unknown_ids_are_flagged_and_share_the_unknown_rating(predictor: Predictor) -> None:
    stranger, other, known = predictor.answer([PairAsk(1, 3), PairAsk(2, 3), PairAsk(7, 3)])
    assert isinstance(stranger, PairAnswer)
    assert isinstance(known, PairAnswer)
    assert stranger == other
    assert (stranger.user_known, stranger.movie_known, known.user_known) == (False, True, True)
    assert stranger.rating != known.rating


def test_recommendations_contain_all_movies_sorted_by_rating(predictor: Predictor) -> None:
    answer = best(predictor, BestAsk(7))
    expected = sorted(MOVIE_IDS, key=lambda movie_id: -rating(predictor, 7, movie_id))
    assert answer.movie_ids == expected
    assert best(predictor, BestAsk(7, top_k=2)).movie_ids == expected[:2]
    assert best(predictor, BestAsk(7, top_k=100)).movie_ids == expected


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (BestAsk(11_242, exclude_seen=True), {10_007, 10_102, 10_253, 2**62}),
        (BestAsk(1, exclude_seen=True), set(MOVIE_IDS)),
        (BestAsk(7, genres=["Crime"]), {3, 10_007}),
        (BestAsk(7, genres=["Crime", "Comedy"]), {3, 10_007, 10_253}),
        (BestAsk(7, exclude=[3, 99]), set(MOVIE_IDS) - {3}),
        (BestAsk(7, [3, 99, 10_253]), {3, 99, 10_253}),
        (BestAsk(7, [3, 99, 10_253], exclude=[99, 3]), {10_253}),
        (BestAsk(7, [3, 99, 10_253], genres=["Crime"]), {3}),
        (BestAsk(11_242, [3, 99, 10_253], exclude_seen=True), {99, 10_253}),
        (BestAsk(7, []), set()),
    ],
)
def test_filters_keep_the_right_movies(predictor: Predictor, ask: BestAsk, expected: set[int]) -> None:
    assert set(best(predictor, ask).movie_ids) == expected


def test_movies_with_equal_ratings_keep_the_order_of_the_ask(predictor: Predictor) -> None:
    assert best(predictor, BestAsk(7, [98, 97, 99], top_k=2)).movie_ids == [98, 97]


def test_ratings_do_not_depend_on_cached_towers(artifact: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Predictor(artifact)
    monkeypatch.setattr(model.scorer, "TOWER_CACHE_MIB", 0)
    monkeypatch.setitem(model.scorer.CHUNK_PAIRS, "cpu", 4)
    asks = [BestAsk(7), BestAsk(1)]
    for one, other in zip(kept.answer(asks), Predictor(artifact).answer(asks), strict=True):
        assert isinstance(one, BestAnswer)
        assert isinstance(other, BestAnswer)
        assert one.movie_ids == other.movie_ids
        assert one.ratings == pytest.approx(other.ratings, abs=1e-5)


def test_row_outside_the_table_raises(predictor: Predictor) -> None:
    for row in (-1, len(USER_IDS) + 1):
        with pytest.raises(IndexError, match="out of range"):
            predictor.scorer.rate(np.array([row]), np.array([0]))
        predictor.scorer.checks_rows = True
        with pytest.raises(IndexError, match=r"row outside 0\.\.5"):
            predictor.scorer.rate(np.array([row]), np.array([0]))
        predictor.scorer.checks_rows = False


def test_string_ids_are_answered(string_artifact: Artifact) -> None:
    known, stranger = Predictor(string_artifact).answer([PairAsk("zoë", "0002844"), PairAsk("zoe", "002844")])
    assert isinstance(known, PairAnswer)
    assert isinstance(stranger, PairAnswer)
    assert known[1:] == (True, True)
    assert stranger[1:] == (False, False)


def test_movies_without_a_catalogue_are_ranked(artifact: Artifact) -> None:
    bare = replace(artifact, catalogue=type(artifact.catalogue)({}, len(MOVIE_IDS)))
    assert len(best(Predictor(bare), BestAsk(7, top_k=3)).movie_ids) == 3


def test_unknown_movies_keep_the_order_of_the_ask(artifact: Artifact) -> None:
    candidates = Candidates(np.array([6, 6, 0, 6]), [4, 101, 3, 5])
    ratings = np.array([5, 5 + 1e-7, 9, 5 + 2e-7])
    ratings = same_for_same(candidates, ratings)
    model = ServedModel.from_artifact(artifact)
    answer = rank(candidates, ratings, ratings, top_k=3, user_known=True, model=model)
    assert answer.movie_ids == [3, 4, 101]
    assert answer.ratings.tolist() == [9, 5, 5]
