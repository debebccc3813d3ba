"""A cumulative export holds the old rows again: they count once."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from model.artifact import Artifact, load_artifact, save_artifact
from train.dataset.data import RatingsData
from train.errors import DataError
from train.update.__main__ import main
from train.update.known_rows import without_known_rows

NEW = [(3, 1_002, 9.0), (7, 1_003_000, 2.0)]


def held(artifact: Artifact) -> list[tuple[int, int, float]]:
    """Every rating of the artifact, user by user."""
    history = artifact.history
    users = np.repeat(artifact.user_ids.ids, np.diff(history.offsets)).tolist()
    return list(zip(users, artifact.movie_ids.raw(history.movie_index), history.ratings.tolist(), strict=True))


def data_of(rows: list[tuple[int, int, float]]) -> RatingsData:
    frame = pd.DataFrame(rows, columns=["user_id", "movie_id", "rating"]).astype({"rating": float})
    return RatingsData(frame, None, Path("new.csv"), "5" * 64, 0, (1.0, 10.0), "row {}".format)


def rows_of(data: RatingsData) -> list[tuple[int, int, float]]:
    return [tuple(row) for row in data.ratings.itertuples(index=False)]


def test_rows_that_the_version_holds_are_left_out_and_said(taste_artifact: Artifact) -> None:
    export = [*held(taste_artifact)[::-1], *NEW]
    data = without_known_rows(taste_artifact, data_of(export))
    assert rows_of(data) == NEW
    assert data.locate(1) == f"row {len(export) - 1}"
    assert data.reading.lines == [f"{len(export) - 2:,} rows left out, because the version to update already has them"]


def test_another_rating_of_a_pair_and_one_more_of_the_same_stay(taste_artifact: Artifact) -> None:
    user, movie, rating = held(taste_artifact)[5]
    again, changed = (user, movie, rating), (user, movie, rating % 10 + 1)
    assert rows_of(without_known_rows(taste_artifact, data_of([again, changed, again]))) == [changed, again]


def test_new_rows_stay_as_they_are(taste_artifact: Artifact) -> None:
    data = data_of(NEW)
    assert without_known_rows(taste_artifact, data) is data


def test_an_export_without_anything_new_is_refused(taste_artifact: Artifact) -> None:
    with pytest.raises(DataError, match=r"^new\.csv: the version to update already has all of its 20 ratings"):
        without_known_rows(taste_artifact, data_of(held(taste_artifact)[:20]))


def test_an_update_with_a_cumulative_export_comes_to_what_the_new_rows_alone_do(
    taste_artifact: Artifact, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_artifact(taste_artifact, tmp_path / "ncf.pt")
    made = {}
    for name, rows in (("new", NEW), ("all", [*held(taste_artifact), *NEW])):
        frame = pd.DataFrame(rows, columns=["user_id", "movie_id", "rating"])
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
        arguments = ["--base", str(tmp_path / "ncf.pt"), "--ratings", str(tmp_path / f"{name}.csv")]
        assert main([*arguments, "--out", str(tmp_path / name)]) == 0
        made[name] = load_artifact(tmp_path / name / "ncf.pt")
    assert "2 ratings (0 of pairs rated before) by 2 users" in capsys.readouterr().out
    assert held(made["all"]) == held(made["new"])
    assert len(held(made["all"])) == len(held(taste_artifact)) + 2
    counted = [*arguments, "--count-again", "--out", str(tmp_path / "twice")]
    assert main(counted) == 0
    assert len(held(load_artifact(tmp_path / "twice" / "ncf.pt"))) == 2 * len(held(taste_artifact)) + 2


def test_how_the_base_was_read_is_how_new_ratings_are_read(taste_artifact: Artifact, tmp_path: Path) -> None:
    config = {"header": False, "user_column": "2", "movie_column": "1", "rating_column": "3", "not_rated": ["0"]}
    save_artifact(replace(taste_artifact, metadata={**taste_artifact.metadata, "config": config}), tmp_path / "ncf.pt")
    (tmp_path / "new.csv").write_text("1002,3,9\n1003,3,0\n")
    arguments = [
        "--base",
        str(tmp_path / "ncf.pt"),
        "--ratings",
        str(tmp_path / "new.csv"),
        "--out",
        str(tmp_path / "a"),
    ]
    assert main(arguments) == 0
    assert [row for row in held(load_artifact(tmp_path / "a" / "ncf.pt")) if row[0] == 3] == [(3, 1002, 9.0)]
