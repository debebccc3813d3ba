"""A trained version knows events: of users who rated, and of users who did not."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from model.artifact import Artifact, load_artifact
from model.asks import BestAnswer, BestAsk, PairAnswer, PairAsk
from model.predictor import Predictor
from train.__main__ import main

KINDS, EACH = 4, 10
CLICKS_ONLY = (5, 905)  # one id before and one after those of the ratings
FACTORS = ("--factors.factors", "2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ratings of 80 users with a taste for one of four kinds of movies each, and clicks."""
    folder = tmp_path_factory.mktemp("clicked")
    dice = np.random.default_rng(0)
    user = np.repeat(np.arange(80), 6)
    movie = user % KINDS + KINDS * dice.integers(0, EACH, len(user))
    pairs = pd.DataFrame({"user_id": 100 + 3 * user, "movie_id": movie, "rating": 1 + (3 * user + movie) % 10})
    pairs.drop_duplicates(["user_id", "movie_id"]).to_csv(folder / "ratings.csv", index=False)
    clicks = [(user, 1 + KINDS * place) for user in CLICKS_ONLY for place in range(3)]
    clicks += [(100, 3 + KINDS * place) for place in range(4)]  # who rated movies of kind 0
    clicks += [(901, 777)]  # of an unknown movie alone
    pd.DataFrame(clicks, columns=["user_id", "movie_id"]).to_csv(folder / "clicks.csv", index=False)
    return folder


def train(folder: Path, name: str, *options: str) -> Artifact:
    words = ["--data", str(folder / "ratings.csv"), "--out", str(folder / name), "--ranking-users", "100", *options]
    assert main(words) == 0
    return load_artifact(folder / name / "ncf.pt")


@pytest.fixture(scope="module")
def clicked(folder: Path) -> Artifact:
    return train(folder, "clicked", "--events", str(folder / "clicks.csv"), *FACTORS)


@pytest.fixture(scope="module")
def plain(folder: Path) -> Artifact:
    return train(folder, "plain", *FACTORS)


def best(artifact: Artifact, user_id: int, top_k: int = 8) -> BestAnswer:
    [answer] = Predictor(artifact).answer([BestAsk(user_id, top_k=top_k, exclude_seen=True, rank_by="blend")])
    assert isinstance(answer, BestAnswer)
    return answer


def test_user_with_events_alone_is_known(clicked: Artifact) -> None:
    assert set(CLICKS_ONLY) <= set(clicked.user_ids.ids.tolist())
    assert 901 not in clicked.user_ids.ids
    answer = best(clicked, 5)
    assert answer.user_known
    kinds = [movie % KINDS for movie in answer.movie_ids]
    assert kinds[:5] == [1] * 5
    assert {1, 5, 9}.isdisjoint(answer.movie_ids)


def test_rating_of_a_user_with_events_alone_is_that_of_an_unknown_user(clicked: Artifact) -> None:
    predictor = Predictor(clicked)
    for movie in (1, 2, 38):
        [known, unknown] = predictor.answer([PairAsk(905, movie), PairAsk(1, movie)])
        assert isinstance(known, PairAnswer)
        assert isinstance(unknown, PairAnswer)
        assert known.user_known
        assert not unknown.user_known
        assert known.rating == unknown.rating


def test_list_of_a_user_learns_from_ratings_and_events(clicked: Artifact, plain: Artifact) -> None:
    before, after = ([movie % KINDS for movie in best(one, 100, 40).movie_ids] for one in (plain, clicked))
    places = [np.mean(np.flatnonzero(np.equal(kinds, 3))) / len(kinds) for kinds in (before, after)]
    assert places[1] < places[0]
    assert {3, 7, 11, 15}.isdisjoint(best(clicked, 100, 40).movie_ids)


def test_events_leave_every_rating_as_it_is(clicked: Artifact, plain: Artifact) -> None:
    users = np.repeat(plain.user_ids.ids, len(plain.movie_ids))
    movies = np.tile(plain.movie_ids.ids, len(plain.user_ids))
    rated = [
        Predictor(one).scorer.rate(one.user_ids.rows(users), one.movie_ids.rows(movies)) for one in (plain, clicked)
    ]
    assert (rated[0] == rated[1]).all()


def test_history_of_a_user_does_not_move_to_another(clicked: Artifact, plain: Artifact) -> None:
    for user in plain.user_ids.ids.tolist():
        rows = [int(one.user_ids.rows([user])[0]) for one in (plain, clicked)]
        before, after = (one.history.of_user(row) for one, row in zip((plain, clicked), rows, strict=True))
        assert before.movie_index.tolist() == after.movie_index.tolist()
        assert before.ratings.tolist() == after.ratings.tolist()


def test_network_of_the_reference_knows_users_with_events_too(folder: Path) -> None:
    found = train(folder, "mlp", "--events", str(folder / "clicks.csv"), "--architecture", "mlp", "--mlp.epochs", "1")
    answer = best(found, 905)
    assert answer.user_known
    assert answer.movie_ids[0] % KINDS == 1
