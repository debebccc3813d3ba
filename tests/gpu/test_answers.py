"""A model on the GPU answers as on the processor: to 1e-5 rating units, or 1e-3 with TF32."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import pytest

from model.artifact import load_artifact
from model.asks import (
    Answer,
    Ask,
    BestAnswer,
    BestAsk,
    ColumnsAnswer,
    ColumnsAsk,
    ExplainAnswer,
    ExplainAsk,
    FoldInAnswer,
    FoldInAsk,
    PairAnswer,
    PairAsk,
    SimilarAnswer,
    SimilarAsk,
)
from model.asks.base import UserAsk
from model.predictor import Predictor
from model.ranking import RANKINGS, RankBy
from tests.gpu.conftest import Figures, Precision

pytestmark = pytest.mark.gpu

PAIRS = 20_000
# What ratings are computed from, such as a folded-in user's row, is a sum in another order on each device.
SUMS = 10


class Both(NamedTuple):
    """The same model on the processor and on the device."""

    cpu: Predictor
    device: Predictor

    def answers(self, *asks: Ask) -> list[tuple[Answer, Answer]]:
        return list(zip(self.cpu.answer(asks), self.device.answer(asks), strict=True))


def load(path: Path, device: str) -> Both:
    return Both(Predictor(load_artifact(path)), Predictor(load_artifact(path, device), device))


@pytest.fixture(scope="module", params=["factors", "mlp"])
def both(request: pytest.FixtureRequest, paths: dict[str, Path], device: str) -> Both:
    return load(paths[request.param], device)


@pytest.fixture(scope="module")
def encoding(paths: dict[str, Path], device: str) -> Both:
    """The architecture that takes new ratings in."""
    return load(paths["factors"], device)


def difference(ours: np.ndarray | Sequence[float], theirs: np.ndarray | Sequence[float]) -> float:
    return float(np.abs(np.asarray(ours, dtype=np.float64) - np.asarray(theirs, dtype=np.float64)).max(initial=0.0))


def same_list(ours: BestAnswer, theirs: BestAnswer, tolerance: float) -> float:
    """The largest difference of the scores; movies may change places only where their scores are that close."""
    apart = difference(ours.scores, theirs.scores)
    assert apart <= tolerance
    gaps = np.append(-np.diff(theirs.scores), 0.0)  # to the next place; whoever is after the last is not known
    close = np.minimum(gaps, np.append(np.inf, gaps[:-1])) <= 2 * tolerance
    moved = ours.movie_index != theirs.movie_index
    assert not (moved & ~close).any(), f"other movies: {ours.movie_index.tolist()}, not {theirs.movie_index.tolist()}"
    return apart


def test_model_is_on_the_device(both: Both, device: str) -> None:
    assert both.device.scorer.device.type == device


def test_ratings_are_the_same(both: Both, precision: Precision, figures: Figures) -> None:
    random = np.random.default_rng(2)
    users = random.integers(0, both.cpu.user_ids.unknown + 1, PAIRS)
    movies = random.integers(0, both.cpu.movie_ids.unknown + 1, PAIRS)
    ours, theirs = (one.scorer.rate(users, movies) for one in (both.device, both.cpu))
    assert float(theirs.std()) > 0.1  # ratings that all are alike would be the same by chance
    figures("largest difference", difference(ours, theirs), "rating units")
    assert difference(ours, theirs) <= precision.tolerance
    few = np.arange(17, dtype=np.int32)
    theirs, ours = (one.scorer.rate(few, few) for one in both)
    assert difference(ours, theirs) <= precision.tolerance


def test_unknown_ids_are_answered_and_flagged_alike(both: Both, precision: Precision) -> None:
    known = both.cpu.user_ids.ids[:3].tolist(), both.cpu.movie_ids.ids[:3].tolist()
    users, movies = [*known[0], 10**9, 10**9], [*known[1], 10**9, known[1][0]]
    [(cpu, ours)] = both.answers(ColumnsAsk(users, movies))
    assert isinstance(cpu, ColumnsAnswer)
    assert isinstance(ours, ColumnsAnswer)
    assert ours.users_known.tolist() == cpu.users_known.tolist() == [True, True, True, False, False]
    assert ours.movies_known.tolist() == cpu.movies_known.tolist() == [True, True, True, False, True]
    assert difference(ours.ratings, cpu.ratings) <= precision.tolerance


@pytest.mark.parametrize("rank_by", RANKINGS)
def test_ten_best_are_the_same(both: Both, precision: Precision, figures: Figures, rank_by: RankBy) -> None:
    users = [*both.cpu.user_ids.ids[:20].tolist(), 10**9]
    asks = [BestAsk(user, top_k=10, exclude_seen=True, rank_by=rank_by) for user in users]
    asks.append(BestAsk(users[0], top_k=10, rank_by=rank_by, novelty=0.5))
    pairs = both.answers(*asks)
    apart = [same_list(cast(BestAnswer, b), cast(BestAnswer, a), precision.tolerance) for a, b in pairs]
    figures("largest difference of scores", max(apart), "")


def test_lists_of_many_users_are_the_same(both: Both, precision: Precision) -> None:
    users, movies = np.arange(33), np.arange(both.cpu.movie_ids.unknown + 1)
    ours, theirs = (one.scorer.rate_all(users, movies) for one in (both.device, both.cpu))
    assert ours.shape == (len(users), len(movies))
    assert difference(ours, theirs) <= precision.tolerance
    if both.cpu.scorer.can_sketch:
        ours, theirs = (one.scorer.sketch_all(users, movies) for one in (both.device, both.cpu))
        assert difference(ours, theirs) <= precision.tolerance


def test_users_by_their_ratings_are_answered_alike(encoding: Both, precision: Precision, figures: Figures) -> None:
    movies = encoding.cpu.movie_ids.ids.tolist()
    user = int(encoding.cpu.user_ids.ids[4])
    ratings = [float(1 + place % 10) for place in range(40)]
    asks: list[UserAsk] = [PairAsk(None, movies[60]), PairAsk(user, movies[61]), PairAsk(10**9, movies[62])]
    asks.append(BestAsk(None, top_k=10, rank_by="blend"))
    told = [FoldInAsk(ask, [*movies[: len(ratings) - 1], 10**9], ratings) for ask in asks]
    apart = []
    for cpu, ours in encoding.answers(*told):
        assert isinstance(cpu, FoldInAnswer)
        assert isinstance(ours, FoldInAnswer)
        assert ours.movies_known.tolist() == cpu.movies_known.tolist() == [True] * (len(ratings) - 1) + [False]
        if isinstance(cpu.answer, BestAnswer):
            apart.append(same_list(cast(BestAnswer, ours.answer), cpu.answer, SUMS * precision.tolerance))
        else:
            assert isinstance(cpu.answer, PairAnswer)
            assert isinstance(ours.answer, PairAnswer)
            apart.append(abs(ours.answer.rating - cpu.answer.rating))
    figures("largest difference", max(apart), "rating units")
    assert max(apart) <= SUMS * precision.tolerance


def test_explanations_are_the_same(both: Both, precision: Precision, figures: Figures) -> None:
    users, movies = both.cpu.user_ids.ids[:6].tolist(), both.cpu.movie_ids.ids[5:11].tolist()
    apart = []
    for cpu, ours in both.answers(*map(ExplainAsk, users, movies)):
        assert isinstance(cpu, ExplainAnswer)
        assert isinstance(ours, ExplainAnswer)
        assert cpu.because
        parts = [[one.rating, one.mean, one.user, one.movie, one.interaction] for one in (ours, cpu)]
        changes = [{movie: change for movie, *_, change in one.because} for one in (ours, cpu)]
        common = changes[0].keys() & changes[1].keys()
        assert len(common) >= len(cpu.because) - 1  # the last one shown may be as strong as the first one left out
        apart.append(difference(*parts))
        apart.append(difference(*([one[movie] for movie in common] for one in changes)))
        assert ours.score is not None
        assert cpu.score is not None
        assert difference(ours.score[:4], cpu.score[:4]) <= SUMS * precision.tolerance
        assert len(ours.score.because) == len(cpu.score.because) > 0
    figures("largest difference of a part", max(apart), "rating units")
    assert max(apart) <= SUMS * precision.tolerance


def test_similar_movies_are_the_same(both: Both, precision: Precision) -> None:
    movies = both.cpu.movie_ids.ids[:20].tolist()
    for cpu, ours in both.answers(*(SimilarAsk(movie, 10) for movie in movies)):
        assert isinstance(cpu, SimilarAnswer)
        assert isinstance(ours, SimilarAnswer)
        assert difference(ours.cosines, cpu.cosines) <= precision.tolerance
        if precision.setting == "highest":
            assert ours.movie_ids == cpu.movie_ids
