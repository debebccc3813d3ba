"""Recommendations over HTTP are as good as the training reported, and equal the lists of `make score`."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from model.artifact import Artifact, load_artifact
from ops.versions.rollout import Rollout
from tests.e2e.conftest import QUICK
from tests.e2e.project import Project
from train.dataset.data import MOVIE_ID, USER_ID, split_ratings
from train.dataset.tensors import look_up_ratings
from train.evaluation.ranking import judge
from train.evaluation.ranking_metrics import measure_lists
from train.evaluation.relevance import RankingTask, ranking_task
from train.readers import load_ratings

pytestmark = pytest.mark.e2e

VERSION = "ranked"
SHOWN, AT_ONCE = 20, 100
# Ids of people who clicked and rated nothing.
GUEST, GUESTS = 10_000_000, 300


@pytest.fixture(scope="module")
def measured(served: Project) -> Iterator[Project]:
    """The project with a version that was fitted only to the training rows, so the held-out rows are new to it.

    It knows events too: of users who rated, and of guests who did not.
    """
    rated = load_ratings(served.folder / "build" / "demo").ratings[[USER_ID, MOVIE_ID]]
    clicks = rated[::10].assign(**{MOVIE_ID: rated[MOVIE_ID].to_numpy()[5::10][: len(rated[::10])]})
    guests = rated[::20].assign(**{USER_ID: GUEST + rated[USER_ID][::20] % GUESTS})
    pd.concat([clicks, guests]).to_csv(served.folder / "clicks.csv", index=False)
    served.make("package", f"VERSION={VERSION}", f"TRAIN_ARGS={QUICK} --no-refit --events clicks.csv")
    Rollout(served.client, served.settings).register(VERSION)
    yield served
    Rollout(served.client, served.settings).unregister(VERSION)


def held_out_task(project: Project, artifact: Artifact) -> RankingTask:
    """The users that the training ranked for, and the relevance of movies to them."""
    data = load_ratings(project.folder / "build" / "demo")
    split = split_ratings(data.ratings, source=data.source)
    train, held_out = (
        look_up_ratings(frame, artifact.user_ids, artifact.movie_ids) for frame in (split.train, split.validation)
    )
    known = len(artifact.user_ids), len(artifact.movie_ids)
    return ranking_task(train, held_out, *known, artifact.scale.minimum, most_users=3_000)


def recommended(project: Project, artifact: Artifact, users: np.ndarray, rank_by: str) -> np.ndarray:
    """Rows of the first movies of each user (U, SHOWN), from the server's answers."""
    raw = artifact.user_ids.raw(users)
    rows = []
    for start in range(0, len(raw), AT_ONCE):
        asks = [{"user_id": user, "top_k": SHOWN, "rank_by": rank_by} for user in raw[start : start + AT_ONCE]]
        for answer in project.ask({"instances": asks}, VERSION).json()["predictions"]:
            rows.append(artifact.movie_ids.rows([one["movie_id"] for one in answer["recommendations"]]))
    return np.stack(rows)


@pytest.mark.parametrize("rank_by", ["blend", "interest", "rating"])
def test_the_server_ranks_as_well_as_the_training_reported(measured: Project, rank_by: str) -> None:
    folder = measured.folder / "build" / VERSION
    artifact = load_artifact(folder / "ncf.pt")
    reported = json.loads((folder / "metrics.json").read_text())["rankings"]
    task = held_out_task(measured, artifact)
    assert len(task.user) == reported["users"] > 2_000
    movies = recommended(measured, artifact, task.user, rank_by)
    nobody = np.zeros(len(artifact.movie_ids))  # nDCG does not use the number of raters
    found = measure_lists(judge(movies, task.liked, nobody, len(artifact.user_ids)))
    for metric in ("ndcg@10", "recall@10", "hit_rate@10", "coverage@10"):
        wanted = reported["liked"][rank_by][metric]
        assert float(found[metric].mean()) == pytest.approx(wanted, abs=5e-4), metric
    assert reported["liked"]["blend"]["ndcg@10"] > reported["liked"]["most_popular"]["ndcg@10"]


def test_guest_who_clicked_is_known_and_gets_other_movies_than_the_most_popular(measured: Project) -> None:
    artifact = load_artifact(measured.folder / "build" / VERSION / "ncf.pt")
    guest = int(artifact.user_ids.ids[-1])
    assert guest >= GUEST
    asks = [{"user_id": user, "top_k": SHOWN} for user in (guest, 2 * GUEST)]
    known, unknown = measured.ask({"instances": asks}, VERSION).json()["predictions"]
    assert "unknown" not in known
    assert unknown["unknown"] == ["user_id"]
    lists = [[one["movie_id"] for one in answer["recommendations"]] for answer in (known, unknown)]
    assert lists[0] != lists[1]
    clicked = artifact.movie_ids.raw(artifact.events.of_user(len(artifact.user_ids) - 1))
    assert set(clicked).isdisjoint(lists[0])
    sent = measured.ask({"events": list(clicked), "top_k": SHOWN}, VERSION).json()
    assert [one["movie_id"] for one in sent["recommendations"]] == lists[0]


def test_lists_of_all_users_equal_the_servers_answers(measured: Project) -> None:
    told = measured.make("score", f"VERSION={VERSION}", "OUT=best.parquet", f"TOP_K={SHOWN}")
    users = len(load_artifact(measured.folder / "build" / VERSION / "ncf.pt").user_ids)
    assert f"the lists of {users:,} users" in told
    frame = pd.read_parquet(measured.folder / "best.parquet")
    assert frame["user_id"].nunique() == len(frame) == users
    differ = 0
    for start in range(0, len(frame), 3 * AT_ONCE):
        part = frame.iloc[start : start + 3 * AT_ONCE]
        asks = [{"user_id": int(user), "top_k": SHOWN} for user in part["user_id"]]
        answers = measured.ask({"instances": asks}, VERSION).json()["predictions"]
        for answer, ours, ratings in zip(answers, part["movie_ids"], part["ratings"], strict=True):
            served = {one["movie_id"]: one["rating"] for one in answer["recommendations"]}
            assert len(served) == len(ours)
            differ += list(served) != ours.tolist()
            assert [served[movie] for movie in ours.tolist() if movie in served] == pytest.approx(
                [rating for movie, rating in zip(ours.tolist(), ratings, strict=True) if movie in served], abs=1e-5
            )
    assert differ <= 4  # movies with equal scores may swap places
