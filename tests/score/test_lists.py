"""Lists of many users hold what each of them is told alone, whatever was spared on the way."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch

from model.artifact import Artifact
from model.asks import BestAnswer, BestAsk, Call, ServedModel
from model.catalogue import Catalogue
from model.history import History
from model.ids import IdMap
from model.interest import Interest
from model.predictor import Predictor
from model.ranking import RANKINGS, RankBy
from model.scale import RatingScale
from score import lists
from score.lists import BestList, ListMaker, Wanted
from tests.model.conftest import NUM_MOVIES, NUM_USERS, random_factor_network
from train.compile_head import compile_head

GENRES = ["Drama", "Crime"]


def drawn_artifact(seed: int, rating_weight: float) -> Artifact:
    """A factor network with an interest part; user 0 rated nothing, and the last user nearly everything."""
    generator = np.random.default_rng(seed)
    rated = generator.random((NUM_USERS, NUM_MOVIES)) < np.linspace(0, 0.9, NUM_USERS)[:, None]
    users, movies = np.nonzero(rated)
    ratings = generator.integers(1, 11, len(users)).astype(np.float64)
    torch.manual_seed(seed)
    interest = Interest(
        column=torch.arange(NUM_MOVIES + 1),
        weights=torch.randn(NUM_MOVIES + 1, NUM_MOVIES + 1) * 0.1,
        popularity=torch.cat([torch.from_numpy(rated.mean(0)).float(), torch.zeros(1)]),
        level=0.2,
        prior=0.5,
        restraint=0.3,
        rating_weight=rating_weight,
        rating_center=6.0,
    )
    return Artifact(
        random_factor_network(),
        IdMap(np.arange(NUM_USERS) * 3),
        IdMap(np.arange(NUM_MOVIES) * 7 + 2),
        RatingScale(1, 10),
        History.from_ratings(users, movies, ratings, NUM_USERS),
        Catalogue({"genres": [GENRES[: row % 3] for row in range(NUM_MOVIES)]}, NUM_MOVIES),
        {"digest": str(seed)},
        interest,
    )


def made(artifact: Artifact, wanted: Wanted) -> list[BestList]:
    model = ServedModel.from_artifact(artifact)
    call = Call(model)
    users = [model.user_at(row) for row in range(NUM_USERS + 1)]
    return ListMaker(model, wanted).lists(users, call)


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
@pytest.mark.parametrize("rank_by", RANKINGS)
def test_compiled_head_makes_the_same_lists(rank_by: RankBy, tmp_path: Path) -> None:
    artifact = drawn_artifact(2, 0.5)
    compiled = replace(artifact, compiled_head=compile_head(tmp_path))
    assert ServedModel.from_artifact(compiled).scorer.head_name == "machine code"
    wanted = Wanted(3, rank_by)
    for one, other in zip(made(compiled, wanted), made(artifact, wanted), strict=True):
        assert one.rows.tolist() == other.rows.tolist()
        assert one.ratings == pytest.approx(other.ratings, abs=1e-4)


def asked_alone(artifact: Artifact, wanted: Wanted) -> list[BestAnswer]:
    predictor = Predictor(artifact)
    found = []
    for user_id in [*artifact.user_ids.ids.tolist(), -1]:
        ask = BestAsk(
            user_id,
            top_k=wanted.top_k,
            exclude_seen=wanted.exclude_seen,
            genres=wanted.genres,
            rank_by=wanted.rank_by,
        )
        [answer] = predictor.answer([ask])
        assert isinstance(answer, BestAnswer)
        found.append(answer)
    return found


def check_equal(artifact: Artifact, wanted: Wanted) -> None:
    for ours, alone in zip(made(artifact, wanted), asked_alone(artifact, wanted), strict=True):
        assert ours.rows.tolist() == alone.movie_index.tolist()
        assert ours.ratings == pytest.approx(alone.ratings, abs=1e-5)
        assert ours.scores == pytest.approx(alone.scores, abs=1e-5)


@pytest.mark.parametrize(
    ("rank_by", "exclude_seen", "genres", "top_k"),
    [*product(RANKINGS, (True, False), ((), ("Crime",)), (3,)), ("blend", True, (), 50), ("rating", True, (), 50)],
)
def test_every_list_is_what_the_user_is_told_alone(
    rank_by: RankBy, exclude_seen: bool, genres: tuple[str, ...], top_k: int
) -> None:
    check_equal(drawn_artifact(0, 0.05), Wanted(top_k, rank_by, genres, exclude_seen))


@pytest.mark.parametrize("rating_weight", [0.0, 0.01, 0.3, 3.0])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_heavy_rating_overturns_the_interest_in_both(
    seed: int, rating_weight: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "_LIKELY", 1)  # so that many of the best are not among the likely
    check_equal(drawn_artifact(seed, rating_weight), Wanted(2, "blend"))


def test_movies_that_cannot_be_among_the_best_are_not_rated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "_LIKELY", 1)
    artifact = drawn_artifact(1, 0.001)
    model = ServedModel.from_artifact(artifact)
    rated: list[int] = []
    rate = model.scorer.rate

    def counting(users: np.ndarray, movies: np.ndarray, fold_ins: Sequence[torch.Tensor] = ()) -> np.ndarray:
        rated.append(len(users))
        return rate(users, movies, fold_ins)

    monkeypatch.setattr(model.scorer, "rate", counting)
    call = Call(model)
    ListMaker(model, Wanted(2, "blend")).lists([model.user_at(row) for row in range(NUM_USERS)], call)
    assert sum(rated) < NUM_USERS * 6 < NUM_USERS * NUM_MOVIES


def test_a_model_without_interest_sorts_by_rating(artifact: Artifact) -> None:
    model = ServedModel.from_artifact(artifact)
    [best] = ListMaker(model, Wanted(2, "rating", exclude_seen=False)).lists([model.user_at(3)], Call(model))
    [answer] = Predictor(artifact).answer([BestAsk(11_242, top_k=2)])
    assert isinstance(answer, BestAnswer)
    assert best.rows.tolist() == answer.movie_index.tolist()


def test_a_user_who_rated_every_movie_gets_an_empty_list() -> None:
    artifact = drawn_artifact(0, 0.05)
    everything = History.from_ratings(
        np.full(NUM_MOVIES, 4), np.arange(NUM_MOVIES), np.full(NUM_MOVIES, 7.0), NUM_USERS
    )
    for rank_by in RANKINGS:
        found = made(replace(artifact, history=everything), Wanted(3, rank_by))
        assert [len(one.rows) for one in found] == [3] * 4 + [0] + [3] * (NUM_USERS - 4)


def test_the_shortlist_of_the_sketch_goes_through_the_head(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "SHORTLIST", 9)
    monkeypatch.setattr(lists, "LARGE_CATALOGUE", 2)
    artifact = drawn_artifact(0, 0.05)
    short, exact = (made(artifact, Wanted(1, "rating", (), False, flag)) for flag in (False, True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lists, "SHORTLIST", 1)
        worst = made(artifact, Wanted(1, "rating", (), False))
    best = [one.rows[0] for one in exact]
    assert np.mean([a.rows[0] == b for a, b in zip(short, best, strict=True)]) > 0.9
    assert [a.ratings[0] <= b.ratings[0] for a, b in zip(worst, exact, strict=True)] == [True] * (NUM_USERS + 1)
