"""A training by parts that holds out the latest ratings learns from the times what a training without parts does."""

from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
import torch

from model.archive import MODEL_CARD
from model.artifact import load_artifact
from model.factor_network import FactorNetwork
from tests.train.parts.conftest import Train
from tests.train.parts.killing import killed_after
from train.__main__ import parse_options
from train.dataset.tensors import index_ratings, look_up_ratings
from train.errors import DataError
from train.evaluation.report import ReportConfig, write_report
from train.factors.method import FACTORS
from train.fit_log import FitLog
from train.method import Choice
from train.output import MEASURED
from train.parts.config import PartsConfig
from train.predict import predict
from train.resume import NO_STAGES
from train.splitting import split_as_asked

BY_TIME = ("--split", "time")
WORDS = "the last 20 % of the rows by time"


@pytest.fixture(scope="module")
def falling(small_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ratings in a random order of time, of which every later one is lower, and movies that are rated last."""
    frame = pd.read_csv(small_file).sample(frac=1, random_state=3).reset_index(drop=True)
    rating = (frame["rating"] - np.linspace(0, 2, len(frame))).clip(1, 10).round()
    new = (frame["movie_id"] < 1_003) & (frame.index < 4_400)
    path = tmp_path_factory.mktemp("falling") / "ratings.csv"
    frame.assign(rating=rating, timestamp=1e9 + 3_600 * frame.index)[~new].to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def by_time(train: Train, falling: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a training with the split by time gives, in one process."""
    return train(tmp_path_factory.mktemp("by-time") / "1.0", *BY_TIME, data=falling)


def test_it_predicts_what_a_training_without_parts_does(
    by_time: dict[str, Any], falling: Path, quick_options: list[str]
) -> None:
    artifact = load_artifact(by_time["artifact"])
    config = parse_options(["--data", str(falling), *quick_options, *BY_TIME], PartsConfig)
    frame = config.read(falling, None).ratings
    rows = index_ratings(frame)
    settings = {name: by_time["chosen"][name] for name in ("noise", "sweeps", "factors", "drift")}
    assert settings["drift"]["rating"] < 0 > settings["drift"]["tilt"]
    without = FACTORS.fit(rows, artifact.scale, config, Choice(settings, FitLog()), "test", NO_STAGES)
    theirs = predict(without.network, rows.ratings, artifact.scale)
    ours = predict(artifact.network, look_up_ratings(frame, artifact.user_ids, artifact.movie_ids), artifact.scale)
    assert float((ours - theirs).abs().max()) < 0.02 * artifact.scale.span
    assert float((ours - theirs).mean().abs()) < 0.002 * artifact.scale.span


def test_movies_that_are_rated_later_alone_are_predicted_like_an_average_one(by_time: dict[str, Any]) -> None:
    measured = load_artifact(by_time["artifact"].parent / MEASURED)
    table, k = measured.network.state_dict()["movie_embedding.weight"], cast(FactorNetwork, measured.network).size
    count = torch.bincount(torch.from_numpy(measured.history.movie_index), minlength=len(table) - 1).float()
    assert count[:3].tolist() == [0, 0, 0]
    torch.testing.assert_close(table[:3], table[-1].expand(3, -1))
    torch.testing.assert_close(table[-1, :k], count @ table[:-1, :k] / count.sum())


def test_the_files_and_the_screen_name_the_split(by_time: dict[str, Any]) -> None:
    folder = by_time["artifact"].parent
    assert by_time["split"] == {"kind": "time", "by": "hash", "seed": 1234, "test_size": 0.2, "served": "all"}
    assert f"- **Held out to report on:** {WORDS}; what is served was" in (folder / MODEL_CARD).read_text()
    assert f"Held out: {WORDS}; the network measured here" in write_report(ReportConfig(folder)).read_text("utf-8")
    held_out, data = by_time["metrics"]["all"]["network"]["rows"], by_time["data"]["ratings"]
    assert held_out == int(np.ceil(0.2 * data))
    assert by_time["rankings"]["users"] > 0


def test_it_is_better_than_a_network_that_is_tuned_for_the_past(
    by_time: dict[str, Any], train: Train, falling: Path, tmp_path: Path
) -> None:
    past = train(tmp_path / "1.0", *BY_TIME, "--tune-for", "past", "--no-refit", data=falling)
    assert "drift" not in past["chosen"]
    ours, theirs = (one["metrics"]["all"]["network"]["mse"] for one in (by_time, past))
    assert ours < theirs - 0.1


def test_shuffled_files_give_the_same_model_and_a_killed_training_goes_on_to_it(
    by_time: dict[str, Any], train: Train, falling: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ratings").mkdir()
    frame = pd.read_csv(falling).sample(frac=1, random_state=6)
    for number, rows in enumerate(np.array_split(np.arange(len(frame)), 2)):
        frame.iloc[rows].to_csv(tmp_path / "ratings" / f"{number}.csv", index=False)
    killed_after(53, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "1.0", *BY_TIME, data=tmp_path / "ratings")
    again = train(tmp_path / "1.0", *BY_TIME, "--resume", data=tmp_path / "ratings")
    assert again["digest"] == by_time["digest"]
    assert again["metrics"] == by_time["metrics"]


def test_a_split_by_time_needs_times(train: Train, tmp_path: Path) -> None:
    told = r"ratings\.csv: no times, and --split time-per-user needs one for every rating: prepare ratings that have"
    with pytest.raises(DataError, match=told):
        train(tmp_path / "1.0", "--split", "time-per-user")
    assert train(tmp_path / "2.0", *BY_TIME, "--test-size", "0")["split"]["test_size"] == 0


def test_a_split_with_nothing_on_one_side_is_refused(train: Train, falling: Path, tmp_path: Path) -> None:
    told = "split: users holds out 0 of 4,[0-9]{3} ratings; allowed is at least one on each side; --test-size 0"
    with pytest.raises(DataError, match=told):
        train(tmp_path / "1.0", "--split", "users", "--given", "5000", data=falling)


def test_popularity_counts_the_users_of_the_training_rows_alone(by_time: dict[str, Any], falling: Path) -> None:
    """As in a training without parts: a user whose ratings are all held out is no user there."""
    measured = load_artifact(by_time["artifact"].parent / MEASURED)
    assert measured.interest is not None
    config = parse_options(["--data", str(falling), *BY_TIME], PartsConfig)
    trained = split_as_asked(config, config.read(falling, None)).train
    users = trained["user_id"].nunique()
    assert users < len(measured.user_ids)
    raters = trained.groupby("movie_id")["user_id"].nunique()
    expected = [raters.get(one, 0) / users for one in measured.movie_ids.ids.tolist()]
    assert measured.interest.popularity[:-1].tolist() == pytest.approx(expected)
