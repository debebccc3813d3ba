"""Two versions on ratings that neither model was trained on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from model.artifact import load_artifact
from train.__main__ import main as train
from train.compare.__main__ import main
from train.compare.judges import choose_judges, judges_of, newest_rows
from train.compare.paired import paired
from train.update.__main__ import main as update


@pytest.fixture(scope="module")
def timed(small_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small file with a time for each rating; they are in no order."""
    ratings = pd.read_csv(small_file)
    ratings["time"] = 1_600_000_000 + np.random.default_rng(1).permutation(len(ratings)) * 60
    path = tmp_path_factory.mktemp("timed") / "ratings.csv"
    ratings.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def folder(timed: Path, tmp_path_factory: pytest.TempPathFactory, quick_options: list[str]) -> Path:
    """Versions 1.0 and 1.1, each trained on all rows but for another seed; 2.0 on the first 3,000 rows by time."""
    folder = tmp_path_factory.mktemp("versions")
    for version, seed in (("1.0", "1"), ("1.1", "2")):
        made = ["--out", str(folder / version), "--version", version, "--seed", seed]
        assert train(["--data", str(timed), *made, *quick_options]) == 0
    ratings = pd.read_csv(timed).sort_values("time")
    ratings.iloc[:3_000].to_csv(folder / "old.csv", index=False)
    ratings.iloc[3_000:].to_csv(folder / "new.csv", index=False)
    made = ["--out", str(folder / "2.0"), "--version", "2.0", "--split", "time"]
    assert train(["--data", str(folder / "old.csv"), *made, *quick_options]) == 0
    updated = ["--out", str(folder / "2.1"), "--version", "2.1", "--hold-out", "0.3"]
    assert update(["--ratings", str(folder / "new.csv"), "--base", str(folder / "2.0" / "ncf.pt"), *updated]) == 0
    return folder


def compared(folder: Path, version: str, other: str, *data: Path) -> dict[str, Any]:
    out = folder / "figures.json"
    words = ["--version", str(folder / version), "--other", str(folder / other), "--out", str(out)]
    assert main([*words, *(["--data", *map(str, data)] if data else [])]) == 0
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def test_two_versions_of_the_same_data_are_judged_by_the_models_that_were_measured(folder: Path, timed: Path) -> None:
    found = compared(folder, "1.1", "1.0", timed)
    assert [found[side]["judged"] for side in ("version", "other")] == ["measured", "measured"]
    metrics = json.loads((folder / "1.0" / "metrics.json").read_text())
    assert found["rows"]["number"] == metrics["metrics"]["all"]["network"]["rows"]
    for side, version in (("version", "1.1"), ("other", "1.0")):
        reported = json.loads((folder / version / "metrics.json").read_text())["metrics"]["all"]["network"]["mse"]
        assert found["errors"][side] == pytest.approx(reported, rel=1e-4)
    assert found["rows"]["newest"] is False


def test_no_row_that_a_model_was_trained_on_is_used(folder: Path, timed: Path) -> None:
    ratings = pd.read_csv(timed)
    pair = choose_judges(judges_of(folder / "1.1"), judges_of(folder / "1.0"), ratings)
    rows = ratings[pair.unseen]
    for judge in (pair.judge, pair.other):
        history, artifact = judge.artifact.history, judge.artifact
        users = np.repeat(artifact.user_ids.ids, np.diff(history.offsets))
        trained = set(zip(users.tolist(), artifact.movie_ids.raw(history.movie_index), strict=True))
        assert trained.isdisjoint(zip(rows["user_id"], rows["movie_id"], strict=True))
    assert pair.unseen.any()


def test_an_update_is_judged_on_the_newest_ratings_against_what_its_base_serves(folder: Path) -> None:
    data = folder / "old.csv", folder / "new.csv"
    found = compared(folder, "2.1", "2.0", *data)
    assert [found[side]["judged"] for side in ("version", "other")] == ["measured", "served"]
    new = pd.read_csv(folder / "new.csv")
    assert found["rows"] == {"number": int(np.ceil(0.3 * len(new))), "newest": True, "read": 3_000 + len(new)}
    served = load_artifact(folder / "2.1" / "ncf.pt")
    assert len(served.history.ratings) == 3_000 + len(new)  # what is served takes them all


def test_newer_ratings_of_a_file_are_asked_of_what_is_served(folder: Path, tmp_path: Path, timed: Path) -> None:
    ratings = pd.read_csv(timed)
    later = ratings.assign(user_id=ratings["user_id"] + 1, time=ratings["time"].max() + 1)
    pd.concat([ratings, later]).to_csv(tmp_path / "later.csv", index=False)
    found = compared(folder, "1.1", "1.0", tmp_path / "later.csv")
    assert [found[side]["judged"] for side in ("version", "other")] == ["served", "served"]
    assert found["rows"]["newest"] is True
    assert found["rows"]["number"] == len(later)


def test_without_times_no_rows_are_called_the_newest(folder: Path, timed: Path) -> None:
    ratings = pd.read_csv(timed)
    pair = choose_judges(judges_of(folder / "2.1"), judges_of(folder / "2.0"), ratings)
    assert newest_rows(pair, ratings) is not None
    assert newest_rows(pair, ratings.drop(columns="time")) is None


def test_versions_of_other_data_are_refused(
    folder: Path, tmp_path: Path, timed: Path, quick_options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    ratings = pd.read_csv(timed)
    ratings.assign(movie_id=ratings["movie_id"] + 50).to_csv(tmp_path / "other.csv", index=False)
    other = tmp_path / "3.0"
    assert train(["--data", str(tmp_path / "other.csv"), "--out", str(other), "--version", "3.0", *quick_options]) == 0
    words = ["--version", str(other), "--other", str(folder / "1.0"), "--out", str(tmp_path / "f.json")]
    assert main([*words, "--data", str(timed)]) == 2
    assert "versions 3.0 and 1.0 are made from different data: they share 11%" in capsys.readouterr().err
    assert not (tmp_path / "f.json").exists()


def test_a_better_model_has_an_interval_below_zero_and_a_users_rows_count_together() -> None:
    random = np.random.default_rng(0)
    difference = random.normal(-1, 0.5, 400)
    alone = paired(difference, np.zeros(400), np.arange(400))
    assert alone.low < -1 < alone.high < 0
    assert alone.difference == pytest.approx(difference.mean())
    assert alone.high - alone.low == pytest.approx(2 * 1.96 * difference.std(ddof=1) / 20, rel=1e-9)
    alike = paired(np.repeat(difference, 10), np.zeros(4_000), np.repeat(np.arange(400), 10))
    assert (alike.low, alike.high) == pytest.approx((alone.low, alone.high))  # ten copies are no news
