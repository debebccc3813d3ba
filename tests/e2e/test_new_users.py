"""New users and new ratings, sent over HTTP or added by an update, must change predicted ratings correctly."""

from typing import Any

import pytest

from model.artifact import load_artifact
from ops.versions.rollout import Rollout
from tests.e2e.project import Project

pytestmark = pytest.mark.e2e

GENRE, GIVEN = "Comedy", 8


@pytest.fixture
def comedies(served: Project) -> list[int]:
    """Raw ids of the movies of one genre."""
    artifact = load_artifact(served.folder / "build" / "1.0" / "ncf.pt")
    found: list[int] = artifact.movie_ids.ids[artifact.catalogue.mask([GENRE])].tolist()
    assert len(found) > GIVEN + 5
    return found


def given(movies: list[int], rating: float) -> list[dict[str, Any]]:
    return [{"movie_id": movie, "rating": rating} for movie in movies[:GIVEN]]


def test_ratings_of_a_new_user_change_unseen_movies_correctly(served: Project, comedies: list[int]) -> None:
    unseen = comedies[GIVEN]
    asks = [{"ratings": given(comedies, rating), "movie_id": unseen} for rating in (1, 10)]
    low, high = served.ask({"instances": asks}).json()["predictions"]
    nobody = served.ask({"ratings": [], "movie_id": unseen}).json()
    assert low["rating"] < nobody["rating"] < high["rating"]
    assert high["rating"] > low["rating"] + 1
    for answer in (low, nobody, high):
        assert answer.keys() == {"movie_id", "rating"}


def test_new_ratings_add_to_stored_ratings_of_a_known_user(served: Project, comedies: list[int]) -> None:
    user = served.client.describe()["example"]["user_id"]
    ask = {"user_id": user, "movie_id": comedies[GIVEN]}
    before = served.ask(ask).json()
    low, high = (served.ask({**ask, "ratings": given(comedies, rating)}).json() for rating in (1, 10))
    assert low["rating"] < high["rating"]
    assert low["rating"] < before["rating"]
    assert before.keys() == high.keys() == {"user_id", "movie_id", "rating"}
    assert served.ask(ask).json() == before  # the server stores nothing


def test_best_movies_leave_out_sent_ratings(served: Project, comedies: list[int]) -> None:
    lists = []
    for rating in (1, 10):
        answer = served.ask(
            {"ratings": given(comedies, rating), "genres": [GENRE], "top_k": 5, "rank_by": "rating"}
        ).json()
        assert answer.keys() == {"recommendations"}
        lists.append(answer["recommendations"])
        assert not {one["movie_id"] for one in lists[-1]} & set(comedies[:GIVEN])
    low, high = lists
    assert len(low) == len(high) == 5
    assert high[0]["rating"] > low[0]["rating"]


def test_an_update_makes_new_ids_known_without_training(served: Project, comedies: list[int]) -> None:
    new_user, new_movie = 5_000_001, 5_000_002
    rows = [(new_user, movie, 10) for movie in comedies[:GIVEN]] + [(new_user, new_movie, 9)]
    lines = ["user_id,movie_id,rating", *(f"{user},{movie},{rating}" for user, movie, rating in rows)]
    (served.folder / "new.csv").write_text("\n".join(lines) + "\n")
    pair = {"user_id": new_user, "movie_id": comedies[GIVEN]}
    assert served.ask(pair).json()["unknown"] == ["user_id"]

    told = served.make("update", "RATINGS=new.csv", "VERSION=2.0", "FROM=1.0")
    assert "9 ratings (0 of pairs rated before) by 1 user (1 new) of 9 movies (1 new)" in told
    artifact = served.folder / "build" / "2.0" / "ncf.pt"
    made = artifact.stat().st_mtime_ns
    for verb in ("package", "train"):
        assert "training version" not in served.make(verb, "VERSION=2.0")
    told = served.make("train", "VERSION=2.0", "DATA=build/demo", check=False)
    assert "version 2.0 was made by `make update FROM=1.0 RATINGS=new.csv`, and a version is never replaced" in told
    assert artifact.stat().st_mtime_ns == made

    rollout = Rollout(served.client, served.settings)
    rollout.register("2.0")
    try:
        answer = served.ask(pair, "2.0").json()
        ratings = [{"movie_id": movie, "rating": rating} for _, movie, rating in rows]
        folded_in = served.ask({"ratings": ratings, "movie_id": comedies[GIVEN]}, "2.0").json()
        assert answer.keys() == {"user_id", "movie_id", "rating"}
        assert answer["rating"] == pytest.approx(folded_in["rating"], abs=1e-4)  # computed from the same ratings
        assert "unknown" not in served.ask({"user_id": new_user, "movie_id": new_movie}, "2.0").json()
        assert served.ask(pair).json()["unknown"] == ["user_id"]  # 1.0 has not changed
    finally:
        rollout.unregister("2.0")


def test_an_update_says_what_it_needs(served: Project) -> None:
    assert "RATINGS: give a folder or file" in served.make("update", "VERSION=2.1", check=False)
    (served.folder / "new.csv").write_text("user_id,movie_id,rating\n1,2,99\n")
    told = served.make("update", "RATINGS=new.csv", "VERSION=2.1", "FROM=1.0", check=False)
    assert "update: new.csv:2: rating 99 is outside 1..10" in told
    told = served.make("update", "RATINGS=new.csv", "VERSION=1.0", "FROM=1.0", check=False)
    assert "VERSION: 1.0 already exists, and a version is never replaced" in told
    assert not (served.folder / "build" / "2.1").exists()
