"""Events by parts: the interest learns from them, their users are known, and they reveal no held-out rating."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from model.archive import MODEL_CARD
from model.artifact import Artifact, load_artifact
from model.interest import Interest
from tests.train.parts.conftest import Train
from train.__main__ import parse_options
from train.dataset.tensors import index_ratings, look_up_events
from train.errors import DataError
from train.interest.linear import fit_linear
from train.output import MEASURED
from train.parts.config import PartsConfig

NEW_USERS = (1, 5_000, 10**6)  # before, between and after those who rated
Pairs = set[tuple[int, int]]


@pytest.fixture(scope="module")
def frame(small_file: Path) -> pd.DataFrame:
    return pd.read_csv(small_file)


@pytest.fixture(scope="module")
def clicks(frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clicks on every movie that one user rated, on movies that others did not rate, and by users without ratings."""
    busy = frame["user_id"][0]
    random = np.random.default_rng(4)
    rows = [(busy, movie) for movie in frame["movie_id"][frame["user_id"] == busy]]
    rows += [(user, 1_000 + random.integers(56)) for user in frame["user_id"].unique()[:250] for _ in range(3)]
    rows += [(user, 1_000 + 2 * place) for user in NEW_USERS for place in range(4)]
    rows += [(77_777, 5)]  # of an unknown movie alone
    path = tmp_path_factory.mktemp("clicks") / "clicks.csv"
    pd.DataFrame(rows, columns=["user_id", "movie_id"]).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def clicked(train: Train, clicks: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a training with the clicks gives."""
    return train(tmp_path_factory.mktemp("clicked") / "1.0", "--events", str(clicks))


def event_pairs(artifact: Artifact) -> Pairs:
    """Raw ids of the users and movies of the events."""
    users, movies = artifact.user_ids.ids[artifact.events.owners], artifact.movie_ids.ids[artifact.events.movie_index]
    return set(zip(users.tolist(), movies.tolist(), strict=True))


def pairs_of(frame: pd.DataFrame) -> Pairs:
    return set(zip(frame["user_id"].tolist(), frame["movie_id"].tolist(), strict=True))


def test_the_artifact_keeps_the_events_of_everybody(clicked: dict[str, Any], frame: pd.DataFrame, clicks: Path) -> None:
    artifact = load_artifact(clicked["artifact"])
    events = pd.read_csv(clicks)
    assert event_pairs(artifact) == pairs_of(events[events["movie_id"] >= 1_000]) - pairs_of(frame)
    assert clicked["events"]["events"] == len(events)
    assert "clicks.csv: " in " ".join(clicked["data"]["reading"]["lines"])
    assert (
        f"- **Events without ratings:** {len(event_pairs(artifact)):,};"
        in (clicked["artifact"].parent / MODEL_CARD).read_text()
    )


def test_the_measured_model_knows_no_events_of_held_out_pairs(
    clicked: dict[str, Any], frame: pd.DataFrame, clicks: Path
) -> None:
    measured = load_artifact(clicked["artifact"].parent / MEASURED)
    busy = int(frame["user_id"][0])
    rated = measured.history.of_user(int(measured.user_ids.rows([busy])[0])).movie_index
    assert len(rated) < (frame["user_id"] == busy).sum()  # some of the user's ratings are held out, and all have clicks
    events = pd.read_csv(clicks)
    assert event_pairs(measured) == pairs_of(events[events["movie_id"] >= 1_000]) - pairs_of(frame)


def test_events_change_the_interest_and_no_rating(clicked: dict[str, Any], usual: dict[str, Any]) -> None:
    with_events, without = load_artifact(clicked["artifact"]), load_artifact(usual["artifact"])
    ours, theirs = (one.network.state_dict()["user_embedding.weight"] for one in (with_events, without))
    rows = torch.from_numpy(with_events.user_ids.rows(without.user_ids.ids)).long()
    assert torch.equal(ours[rows], theirs[:-1])
    new = torch.from_numpy(with_events.user_ids.rows(np.array(NEW_USERS))).long()
    assert torch.equal(ours[new], theirs[-1:].expand(len(NEW_USERS), -1))
    assert set(with_events.user_ids.ids.tolist()) == {*without.user_ids.ids.tolist(), *NEW_USERS}
    assert clicked["metrics"] == usual["metrics"]
    assert clicked["rankings"]["liked"]["interest"] != usual["rankings"]["liked"]["interest"]


def test_the_interest_is_that_of_a_training_without_parts(
    clicked: dict[str, Any], frame: pd.DataFrame, clicks: Path, quick_options: list[str]
) -> None:
    interest = load_artifact(clicked["artifact"]).interest
    assert isinstance(interest, torch.nn.Module)
    config = parse_options(quick_options, PartsConfig)
    rows = index_ratings(frame)
    events = look_up_events(pd.read_csv(clicks), rows.user_ids, rows.movie_ids)
    with_events, without = (
        weights(fit_linear(one, config.tuned_interest)) for one in (replace(rows, events=events), rows)
    )
    found = weights(interest)
    torch.testing.assert_close(found, with_events, rtol=1e-3, atol=1e-5)
    assert not torch.allclose(found, without, rtol=1e-2, atol=1e-3)


def test_a_sample_learns_from_its_own_users_and_everybody_is_served(
    train: Train, clicks: Path, clicked: dict[str, Any], tmp_path: Path
) -> None:
    few = ("--interest.max-ratings", "1500", "--no-refit")
    shuffled = tmp_path / "shuffled.csv"
    pd.read_csv(clicks).sample(frac=1, random_state=1).to_csv(shuffled, index=False)
    first, second = (train(tmp_path / path.stem, *few, "--events", str(path)) for path in (clicks, shuffled))
    assert event_pairs(load_artifact(first["artifact"])) == event_pairs(load_artifact(clicked["artifact"]))
    assert first["rankings"] == second["rankings"]
    interests = [load_artifact(one["artifact"]).interest for one in (first, second, clicked)]
    assert torch.equal(weights(interests[0]), weights(interests[1]))
    assert not torch.equal(weights(interests[0]), weights(interests[2]))


def test_users_with_string_ids_are_known_by_their_events(
    train: Train, frame: pd.DataFrame, clicks: Path, tmp_path: Path
) -> None:
    for source, name in ((frame, "ratings.csv"), (pd.read_csv(clicks), "clicks.csv")):
        source.assign(user_id="u" + source["user_id"].astype(str)).to_csv(tmp_path / name, index=False)
    options = ("--events", str(tmp_path / "clicks.csv"), "--test-size", "0")
    artifact = load_artifact(train(tmp_path / "1.0", *options, data=tmp_path / "ratings.csv")["artifact"])
    row = int(artifact.user_ids.rows(["u5000"])[0])
    assert artifact.movie_ids.raw(artifact.events.of_user(row)) == [1_000, 1_002, 1_004, 1_006]
    assert len(artifact.history.of_user(row).movie_index) == 0


def test_a_missing_file_is_said_before_the_ratings_are_prepared(train: Train, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.csv: no such file or folder"):
        train(tmp_path / "1.0", "--events", str(tmp_path / "none.csv"))
    assert not (tmp_path / "1.0").exists()


def test_events_of_unknown_movies_alone_are_an_error(train: Train, tmp_path: Path) -> None:
    (tmp_path / "clicks.csv").write_text("user_id,movie_id\n7,5\n")
    told = r"clicks.csv: none of its movies, such as 5, is known; allowed are the movie ids of .*ratings\.csv"
    with pytest.raises(DataError, match=told):
        train(tmp_path / "1.0", "--events", str(tmp_path / "clicks.csv"))


def weights(interest: Interest | None) -> torch.Tensor:
    assert interest is not None
    return interest.weights
