"""`python -m train.update`: an artifact comes out, or one line says why not."""

from dataclasses import replace
from pathlib import Path

import pytest

from model.artifact import Artifact, load_artifact, save_artifact
from train.update.__main__ import main


@pytest.fixture
def saved(taste_artifact: Artifact, tmp_path: Path) -> Path:
    save_artifact(taste_artifact, tmp_path / "ncf.pt")
    return tmp_path / "ncf.pt"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("user_id,movie_id,rating\n1,1002,11\n", "new.csv:2: rating 11 is outside 1..10"),
        (
            "user_id,movie_id,rating\n1,1002,9\n\nann,1002,9\n",
            'new.csv:4: user_id "ann" is not an integer (7, not 007)',
        ),
        ("user_id,movie_id,rating\n1,1002,9\n2,007,9\n", 'new.csv:3: movie_id "007" is not an integer (7, not 007)'),
        ("user_id,movie_id,rating\n9223372036854775808,1,9\n", 'new.csv:2: user_id "9223372036854775808" is not an'),
        ("user_id,movie_id,rating\n1,1002,nine\n", 'new.csv:2: rating "nine" is not a number'),
        ("user_id,movie_id,rating\n", "no ratings"),
        ("user_id,rating\n1,1\n", "new.csv: no column of movies"),
        (None, "no such file or folder"),
    ],
)
def test_an_error_is_one_line_and_nothing_is_written(
    saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, said: str
) -> None:
    if text is not None:
        (tmp_path / "new.csv").write_text(text)
    out = tmp_path / "1.1"
    assert main(["--ratings", str(tmp_path / "new.csv"), "--base", str(saved), "--out", str(out)]) == 2
    told = capsys.readouterr().err
    assert told.startswith("update: ")
    assert said in told
    assert told.count("\n") == 1
    assert not out.exists()


def test_the_command_writes_an_artifact(saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "new.csv").write_text("user_id,movie_id,rating\n3,1002,9\n3,1003000,10\n")
    out = tmp_path / "1.1"
    arguments = ["--ratings", str(tmp_path / "new.csv"), "--base", str(saved), "--out", str(out), "--version", "1.1"]
    assert main(arguments) == 0
    told = capsys.readouterr().out
    assert "2 ratings (0 of pairs rated before) by 1 user (1 new) of 2 movies (1 new)" in told
    assert load_artifact(out / "ncf.pt").metadata["version"] == "1.1"
    assert sorted(path.name for path in out.iterdir()) == ["MODEL_CARD.md", "ncf.pt"]
    assert main(arguments) == 2
    assert "already exists, and a version is never replaced" in capsys.readouterr().err


def test_the_same_file_is_not_taken_in_twice(saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "new.csv").write_text("user_id,movie_id,rating\n3,1002,9\n")
    arguments = ["--ratings", str(tmp_path / "new.csv"), "--version", "1.2", "--out", str(tmp_path / "1.2")]
    assert (
        main(["--base", str(saved), "--ratings", arguments[1], "--version", "1.1", "--out", str(tmp_path / "1.1")]) == 0
    )
    assert main([*arguments, "--base", str(tmp_path / "1.1" / "ncf.pt")]) == 2
    assert "already has these ratings" in capsys.readouterr().err
    assert not (tmp_path / "1.2").exists()


def test_a_version_is_not_updated_in_place(saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "new.csv").write_text("user_id,movie_id,rating\n3,1002,9\n")
    before = saved.read_bytes()
    assert main(["--ratings", str(tmp_path / "new.csv"), "--base", str(saved), "--out", str(saved.parent)]) == 2
    assert "is the version to update; give" in capsys.readouterr().err
    assert saved.read_bytes() == before


def test_the_columns_of_the_base_are_remembered(taste_artifact: Artifact, tmp_path: Path) -> None:
    config = {"user_column": "who", "movie_column": "what", "rating_column": "stars", "delimiter": ";"}
    metadata = {**taste_artifact.metadata, "config": config}
    save_artifact(replace(taste_artifact, metadata=metadata), tmp_path / "ncf.pt")
    (tmp_path / "new.csv").write_text("who;what;stars\n3;1002;9\n")
    (tmp_path / "usual.csv").write_text("user_id,movie_id,rating\n3,1002,9\n")
    arguments = ["--base", str(tmp_path / "ncf.pt")]
    assert main([*arguments, "--ratings", str(tmp_path / "new.csv"), "--out", str(tmp_path / "a")]) == 0
    given = ["--user-column", "user_id", "--movie-column", "movie_id", "--rating-column", "rating", "--delimiter", ","]
    assert main([*arguments, *given, "--ratings", str(tmp_path / "usual.csv"), "--out", str(tmp_path / "b")]) == 0
