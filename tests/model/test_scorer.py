"""A pair's rating depends neither on the batches of a call nor on the integer type of its rows."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import model.scorer
from model.artifact import Artifact
from model.asks import (
    Answer,
    Ask,
    BestAnswer,
    BestAsk,
    ColumnsAnswer,
    ColumnsAsk,
    FoldInAnswer,
    FoldInAsk,
    PairAnswer,
    PairAsk,
)
from model.ids import IdMap
from model.predictor import Predictor
from model.scorer import Scorer
from tests.conftest import MOVIE_IDS, USER_IDS

USERS = len(USER_IDS) + 1  # with the unknown user
MOVIES = len(MOVIE_IDS) + 1  # with the unknown movie
FOLD_INS = 2
PAIRS = st.lists(st.tuples(st.integers(0, USERS + FOLD_INS - 1), st.integers(0, MOVIES - 1)), max_size=12)

towers = pytest.mark.parametrize("tower_mib", [0, 64], ids=["towers by request", "towers kept"])


@towers
def test_batch_size_does_not_change_ratings(
    ranked_artifact: Artifact, monkeypatch: pytest.MonkeyPatch, tower_mib: int
) -> None:
    whole = Scorer(ranked_artifact)
    fold_ins = [whole.encode(np.array([0]), np.array([9.0])), whole.encode(np.array([2, 3]), np.array([1.0, 8.0]))]
    everyone = range(USERS + FOLD_INS)
    alone = [[whole.rate(np.array([u]), np.array([m]), fold_ins)[0] for m in range(MOVIES)] for u in everyone]
    monkeypatch.setattr(model.scorer, "TOWER_CACHE_MIB", tower_mib)
    scorers = []
    for chunk in (1, 2, 3, 5):
        monkeypatch.setitem(model.scorer.CHUNK_PAIRS, "cpu", chunk)
        scorers.append(Scorer(ranked_artifact))

    @given(PAIRS, st.sampled_from(scorers), st.sampled_from([np.int32, np.int64]))
    def try_pairs(pairs: list[tuple[int, int]], scorer: Scorer, kind: type) -> None:
        rows: np.ndarray = np.array(pairs, dtype=kind).reshape(-1, 2)
        ratings = scorer.rate(rows[:, 0], rows[:, 1], fold_ins)
        assert ratings == pytest.approx([alone[user][movie] for user, movie in pairs], abs=1e-5)

    try_pairs()


def test_row_of_a_missing_fold_in_user_raises(ranked_artifact: Artifact) -> None:
    scorer = Scorer(ranked_artifact)
    fold_in = scorer.encode(np.array([0]), np.array([9.0]))
    for row, fold_ins in ((USERS + 1, [fold_in]), (USERS, []), (-1, [fold_in])):
        with pytest.raises(IndexError, match=r"out of (range|bounds)"):
            scorer.rate(np.array([row]), np.array([0]), fold_ins)


@towers
def test_dense_ids_get_the_same_ratings_as_sparse_ids(
    ranked_artifact: Artifact, monkeypatch: pytest.MonkeyPatch, tower_mib: int
) -> None:
    monkeypatch.setattr(model.scorer, "TOWER_CACHE_MIB", tower_mib)
    users, movies = list(range(-2, 3)), list(range(10, 16))
    close = replace(ranked_artifact, user_ids=IdMap(np.array(users)), movie_ids=IdMap(np.array(movies)))
    scattered = Predictor(ranked_artifact).answer(asks(USER_IDS, MOVIE_IDS, stranger=5))
    for one, other in zip(Predictor(close).answer(asks(users, movies, stranger=99)), scattered, strict=True):
        assert ratings_of(one) == pytest.approx(ratings_of(other), abs=1e-5)


def asks(users: list[int], movies: list[int], stranger: int) -> list[Ask]:
    """Asks of every kind that one pass rates."""
    return [
        PairAsk(users[3], movies[2]),
        PairAsk(stranger, movies[5]),
        ColumnsAsk([*users, stranger], movies),
        BestAsk(users[3], exclude_seen=True),
        BestAsk(users[1], [*movies, stranger], exclude=[movies[0]]),
        FoldInAsk(PairAsk(users[3], movies[1]), [movies[2], stranger], [2.0, 9.0]),
        FoldInAsk(BestAsk(None, top_k=3), movies[:2], [8.0, 1.0]),
    ]


def ratings_of(answer: Answer) -> list[float]:
    if isinstance(answer, FoldInAnswer):
        return ratings_of(answer.answer)
    if isinstance(answer, PairAnswer):
        return [answer.rating]
    assert isinstance(answer, ColumnsAnswer | BestAnswer)
    ratings: list[float] = answer.ratings.tolist()
    return ratings


@pytest.mark.parametrize("device_checks", [False, True], ids=["processor", "as on a GPU"])
def test_row_outside_its_table_is_refused_by_every_way(ranked_artifact: Artifact, device_checks: bool) -> None:
    scorer = Scorer(ranked_artifact)
    scorer.checks_rows = device_checks
    one, outside = np.array([0]), np.array([MOVIES])
    for ask in (scorer.rate, scorer.rate_all):
        for users, movies in ((np.array([USERS]), one), (one, outside)):
            with pytest.raises(IndexError, match="row outside" if device_checks else "out of (range|bounds)"):
                ask(users, movies)
    with pytest.raises(IndexError, match=rf"row outside 0\.\.{MOVIES - 1}$"):
        scorer.encode(outside, np.array([9.0]))
    with pytest.raises(IndexError, match=r"row outside 0\.\.0"):
        scorer.encode_many(np.array([1]), one, np.array([9.0]), 1)
