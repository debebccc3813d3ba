"""`python -m score`: a folder of lists, every user once, which a second run completes and never mixes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow.parquet
import pytest

from model.artifact import Artifact, load_artifact, save_artifact
from model.asks import BestAnswer, BestAsk
from model.predictor import Predictor
from score.parts import PartFolder
from tests.conftest import USER_IDS
from tests.score.conftest import lists, score


def test_every_user_is_there_once_with_what_the_predictor_answers(saved: Path) -> None:
    assert score(saved, "--top-k", "3", "--part-users", "2") == 0
    found = lists(saved)
    assert list(found) == USER_IDS
    assert len(list((saved.parent / "best.parquet").glob("part-*-of-00003.parquet"))) == 3
    predictor = Predictor(load_artifact(saved))
    for user_id, row in found.items():
        [answer] = predictor.answer([BestAsk(user_id, top_k=3, exclude_seen=True, rank_by="blend")])
        assert isinstance(answer, BestAnswer)
        assert row["user_known"]
        assert row["movie_ids"].tolist() == list(answer.movie_ids)
        assert row["ratings"].tolist() == pytest.approx(answer.ratings.tolist(), abs=1e-5)
        assert row["scores"].tolist() == pytest.approx(answer.scores.tolist(), abs=1e-5)


def test_a_run_that_was_stopped_goes_on_and_keeps_what_is_there(
    saved: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write = PartFolder.write

    def stop_at_second(folder: PartFolder, number: int, table: pyarrow.Table) -> None:
        if number == 1:
            raise OSError(28, "No space left on device")
        write(folder, number, table)

    with monkeypatch.context() as patch:
        patch.setattr(PartFolder, "write", stop_at_second)
        assert score(saved, "--part-users", "2") == 2
    assert "No space left" in capsys.readouterr().err
    [first] = (saved.parent / "best.parquet").glob("*.parquet")
    made = first.stat()
    left = saved.parent / "best.parquet" / ".part-00001-of-00003.parquet.77.partial"
    left.write_bytes(b"half")
    assert score(saved, "--part-users", "2") == 0
    assert "1 part of 3 lay there already" in capsys.readouterr().out
    assert score(saved, "--part-users", "2") == 0
    told = f"best.parquet: the lists of {len(USER_IDS)} users were already there, nothing was left to do"
    assert told in capsys.readouterr().out
    assert first.stat().st_mtime_ns == made.st_mtime_ns
    assert not left.exists()
    assert list(lists(saved)) == USER_IDS


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--top-k", "2"], "made with top_k 10, asked for is 2"),
        (["--rank-by", "rating"], "made with rank_by blend, asked for is rating"),
        (["--genres", "Drama"], r"made with genres \[\], asked for is \['Drama'\]"),
        (["--no-exclude-seen"], "made with exclude_seen True, asked for is False"),
        (["--part-users", "3"], "made with part_users 4096, asked for is 3"),
    ],
)
def test_lists_of_other_options_are_not_mixed(
    saved: Path, options: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    score(saved)
    before = {path: path.read_bytes() for path in (saved.parent / "best.parquet").glob("*.parquet")}
    assert score(saved, *options) == 2
    assert re.search(f"{told}: give another --out", capsys.readouterr().err)
    assert {path: path.read_bytes() for path in (saved.parent / "best.parquet").glob("*.parquet")} == before


def test_lists_of_another_model_are_not_mixed(
    saved: Path, artifact: Artifact, capsys: pytest.CaptureFixture[str]
) -> None:
    score(saved, "--rank-by", "rating")
    save_artifact(artifact, saved)
    assert score(saved) == 2
    assert "was made with model" in capsys.readouterr().err


def test_a_file_tells_what_it_was_made_of(saved: Path) -> None:
    score(saved, "--genres", "Drama", "Crime")
    [path] = (saved.parent / "best.parquet").glob("*.parquet")
    told = json.loads(pyarrow.parquet.read_schema(path).metadata[b"ncf.score"])
    assert told["model"] == load_artifact(saved).metadata["digest"]
    assert (told["genres"], told["top_k"], told["part"]) == (["Drama", "Crime"], 10, 0)


def test_users_of_a_file_are_scored_the_unknown_too(saved: Path) -> None:
    saved.with_name("users.csv").write_text("user_id\n11242\n5\n0\n")
    assert score(saved, "--users", str(saved.with_name("users.csv"))) == 0
    found = lists(saved)
    assert {user_id: row["user_known"] for user_id, row in found.items()} == {0: True, 5: False, 11_242: True}
    [answer] = Predictor(load_artifact(saved)).answer([BestAsk(5, top_k=10, rank_by="blend")])
    assert isinstance(answer, BestAnswer)
    assert found[5]["movie_ids"].tolist() == list(answer.movie_ids)


def test_a_file_says_how_many_users_are_unknown(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved.with_name("users.csv").write_text("user_id\n11242.0\n5.0\n0.0\n")  # as pandas writes a column with a gap
    assert score(saved, "--users", str(saved.with_name("users.csv"))) == 0
    assert {user_id: row["user_known"] for user_id, row in lists(saved).items()} == {0: True, 5: False, 11_242: True}
    told = "users.csv: the version does not know 1 of its 3 users: these get the most popular movies"
    assert told in capsys.readouterr().out


@pytest.mark.parametrize("wrong", ["NA", "007", "1.5"])
def test_a_user_id_that_is_no_integer_is_refused_with_its_line(
    saved: Path, wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    saved.with_name("users.csv").write_text(f"user_id\n11242\n{wrong}\n0\n")
    assert score(saved, "--users", str(saved.with_name("users.csv"))) == 2
    assert f"users.csv:3: user id '{wrong}' is not an integer, and the version has integer" in capsys.readouterr().err


def test_a_row_without_a_user_id_is_refused(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    users = saved.with_name("users.parquet")
    pd.DataFrame({"user_id": pd.array([11_242, None, 0], dtype="Int64")}).to_parquet(users)
    assert score(saved, "--users", str(users)) == 2
    told = "users.parquet, row 2: the user id is empty: give one, or remove the row"
    assert told in capsys.readouterr().err


def test_string_ids_stay_strings(string_artifact: Artifact, tmp_path: Path) -> None:
    save_artifact(string_artifact, tmp_path / "ncf.pt")
    assert score(tmp_path / "ncf.pt", "--no-exclude-seen") == 0
    found = lists(tmp_path / "ncf.pt")
    assert list(found) == ["ann", "bob", "eve", "zoë"]
    assert set(found["ann"]["movie_ids"]) == {"0002844", "2844", "a b"}


def test_the_column_of_ids_has_the_versions_own_word(ranked_artifact: Artifact, tmp_path: Path) -> None:
    own = replace(ranked_artifact, metadata={"vocabulary": {"item": "product", "tags": "categories"}})
    save_artifact(own, tmp_path / "ncf.pt")
    assert score(tmp_path / "ncf.pt") == 0
    assert list(pd.read_parquet(tmp_path / "best.parquet"))[2:] == ["product_ids", "ratings", "scores"]


def test_ids_of_another_type_are_refused_in_the_versions_own_words(
    ranked_artifact: Artifact, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = replace(ranked_artifact, metadata={"vocabulary": {"item": "product", "tags": "categories"}})
    save_artifact(own, tmp_path / "ncf.pt")
    (tmp_path / "new.csv").write_text("user_id,product_id,rating\n7,P1,9\n7,P2,2\n")
    assert score(tmp_path / "ncf.pt", "--ratings", str(tmp_path / "new.csv"), "--item-ids", "string") == 2
    told = "new.csv: the product ids are strings; this version has integer product ids"
    assert told in capsys.readouterr().err


def test_a_doubtful_column_of_users_is_a_warning(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved.with_name("users.csv").write_text("user_id,customer\n11242,1\n")
    assert score(saved, "--users", str(saved.with_name("users.csv"))) == 0
    assert "users.csv: user_id is used for users; customer may also be" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--top-k", "0"], "--top-k: got 0, allowed: 1 or more"),
        (["--genres", "Horor"], "GENRES: got 'Horor', allowed genres: Comedy, Crime, Drama"),
        (["--users", "a.csv", "--ratings", "b.csv"], "--users and --ratings: got both"),
        (["--users", "a.csv", "--events", "b.csv"], "--users and --events: got both"),
        (["--users", "nowhere.csv"], "nowhere.csv: no such file"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    saved: Path, options: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score(saved, *options) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_a_model_without_interest_refuses_the_blend(
    artifact: Artifact, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_artifact(artifact, tmp_path / "ncf.pt")
    assert score(tmp_path / "ncf.pt", "--rank-by", "blend") == 2
    assert "--rank-by: got blend, allowed: rating" in capsys.readouterr().err
    assert score(tmp_path / "ncf.pt") == 0


def test_two_scorings_of_one_folder_do_not_meet(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = PartFolder(saved.parent / "best.parquet", {}, 1)
    with folder.writing():
        assert score(saved) == 2
    assert "another scoring writes to it" in capsys.readouterr().err


def test_several_processes_share_the_parts(saved: Path) -> None:
    command = [sys.executable, "-m", "score", "--artifact", str(saved), "--out", str(saved.with_name("two.parquet"))]
    done = subprocess.run(
        [*command, "--processes", "2", "--part-users", "1"], capture_output=True, text=True, env=environment()
    )
    assert done.returncode == 0, done.stderr
    score(saved)
    together, alone = lists(saved, "two.parquet"), lists(saved)
    assert {user: row["movie_ids"].tolist() for user, row in together.items()} == {
        user: row["movie_ids"].tolist() for user, row in alone.items()
    }


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1"}
