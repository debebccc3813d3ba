"""What is new for a version is counted, and nothing is changed."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.artifact import Artifact, load_artifact, save_artifact
from train.update.__main__ import main as update
from train.update.news import main


@pytest.fixture
def saved(taste_artifact: Artifact, tmp_path: Path) -> Path:
    save_artifact(taste_artifact, tmp_path / "ncf.pt")
    return tmp_path / "ncf.pt"


def told(base: Path, ratings: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["--ratings", str(ratings), "--base", str(base)]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def known_rows(artifact: Artifact, number: int) -> list[str]:
    users = np.repeat(artifact.user_ids.ids, np.diff(artifact.history.offsets))[:number]
    movies = artifact.movie_ids.raw(artifact.history.movie_index[:number])
    ratings = artifact.history.ratings[:number]
    return [f"{user},{movie},{rating:g}" for user, movie, rating in zip(users, movies, ratings, strict=True)]


def test_only_ratings_that_the_version_lacks_are_new(
    saved: Path, tmp_path: Path, taste_artifact: Artifact, capsys: pytest.CaptureFixture[str]
) -> None:
    path, held = tmp_path / "all.csv", len(taste_artifact.history.ratings)
    known = known_rows(taste_artifact, 50)
    path.write_text("\n".join(["user_id,movie_id,rating", *known, "3,1002,9", "3,1003000,10"]) + "\n")
    found = told(saved, path, capsys)
    known_figures = {"held": held, "trained": held, "trained_at": "then", "can_update": True}
    assert found == {"new": 2, "timed": False, **known_figures}
    out = tmp_path / "1.1"
    assert update(["--ratings", str(path), "--base", str(saved), "--out", str(out)]) == 0
    after = told(out / "ncf.pt", path, capsys)
    assert (after["new"], after["held"], after["trained"], after["trained_at"]) == (0, held + 2, held, "then")


def test_new_ratings_in_a_database_are_those_after_the_newest_that_the_version_has(
    saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, newest = tmp_path / "films.sqlite", 1_700_000_000
    with sqlite3.connect(path) as connection:
        connection.execute("create table ratings (user_id, movie_id, rating, rated_at)")
        rows = [(3, 1000 + place, 9, newest + place) for place in range(6)]
        connection.executemany("insert into ratings values (?, ?, ?, ?)", rows)
    connection.close()
    found = told(saved, path, capsys)
    assert (found["new"], found["timed"]) == (6, True)
    out = tmp_path / "1.1"
    assert update(["--ratings", str(path), "--base", str(saved), "--out", str(out)]) == 0
    assert told(out / "ncf.pt", path, capsys)["new"] == 0
    with sqlite3.connect(path) as connection:
        connection.execute("insert into ratings values (3, 1020, 8, ?)", (newest + 100,))
    connection.close()
    assert told(out / "ncf.pt", path, capsys)["new"] == 1


def test_a_new_part_in_a_folder_is_new(
    saved: Path, tmp_path: Path, taste_artifact: Artifact, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    known = known_rows(taste_artifact, 50)
    (folder / "part-0.csv").write_text("\n".join(["user_id,movie_id,rating", *known]) + "\n")
    (folder / "part-1.csv").write_text("user_id,movie_id,rating\n3,1002,9\n3,1003000,10\n")
    assert told(saved, folder, capsys)["new"] == 2
    (folder / "part-2.csv").write_text("user_id,movie_id,rating\n3,1004,9\n")
    assert told(saved, folder, capsys)["new"] == 3


def test_the_newest_share_is_kept_from_the_model_that_is_measured(saved: Path, tmp_path: Path) -> None:
    times = [5, 1, 4, 2, 3]
    rows = [f"3,{1000 + place},9,{1_600_000_000 + time}" for place, time in enumerate(times)]
    (tmp_path / "new.csv").write_text("\n".join(["user_id,movie_id,rating,time", *rows]) + "\n")
    out = tmp_path / "1.1"
    words = ["--ratings", str(tmp_path / "new.csv"), "--base", str(saved), "--out", str(out), "--hold-out", "0.4"]
    assert update(words) == 0
    rated = []
    for name in ("measured.pt", "ncf.pt"):
        artifact = load_artifact(out / name)
        rows_of_3 = artifact.history.seen(int(artifact.user_ids.rows(np.array([3]))[0]))
        rated.append(set(artifact.movie_ids.raw(rows_of_3)))
    assert rated == [{1001, 1003, 1004}, {1000, 1001, 1002, 1003, 1004}]


def test_a_share_that_leaves_no_rating_is_refused(
    saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "new.csv").write_text("user_id,movie_id,rating,time\n3,1002,9,5\n")
    out = tmp_path / "1.1"
    words = ["--ratings", str(tmp_path / "new.csv"), "--base", str(saved), "--out", str(out)]
    assert update([*words, "--hold-out", "0.5"]) == 2
    assert "this split holds out 1 of 1 row" in capsys.readouterr().err
    assert not (out / "ncf.pt").exists()


def test_a_network_without_an_encoder_cannot_be_updated(
    tmp_path: Path, artifact: Artifact, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = replace(artifact, metadata={"version": "1.0"})
    save_artifact(plain, tmp_path / "plain.pt")
    (tmp_path / "new.csv").write_text("user_id,movie_id,rating\n7,3,9\n")
    assert told(tmp_path / "plain.pt", tmp_path / "new.csv", capsys)["can_update"] is False
