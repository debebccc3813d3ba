"""What `CLUSTER` makes of a training: the command, and what the version remembers."""

from pathlib import Path

import pytest

from ops.build import commands, verbs
from ops.build.recipe import Recipe, describe_files
from ops.build.shelf import Shelf


@pytest.mark.parametrize(
    ("cluster", "processes", "begins"),
    [
        ("", None, ["python", "-m", "train"]),
        ("local", None, ["python", "-m", "train.parts"]),
        ("local", "2", ["torchrun", "--standalone", "--nproc-per-node", "2", "-m", "train.parts"]),
        ("auto", None, ["python", "-m", "train.cluster", "--cluster", "auto"]),
        ("10.0.0.1:6379", "8", ["python", "-m", "train.cluster", "--cluster", "10.0.0.1:6379", "--processes", "8"]),
    ],
)
def test_a_cluster_chooses_the_command(
    monkeypatch: pytest.MonkeyPatch, cluster: str, processes: str | None, begins: list[str]
) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(commands, "_run", ran.append)
    options = {"DATA": "ratings.csv", "PRESET": "default", "TRAIN_ARGS": "", "CLUSTER": cluster}
    commands.train(Recipe("train", options, {}), "1.0", Path("build/1.0"), processes, resume=True)
    [words] = ran
    assert [Path(words[0]).name, *words[1 : len(begins)]] == begins
    assert words[len(begins) :][:2] == ["--preset", "default"]
    assert words[-1] == "--resume"


def test_a_version_that_was_trained_by_parts_is_not_the_one_that_was_not(shelf: Shelf) -> None:
    assert verbs.train({"DATA": "mine.csv"}, shelf) == "1.0"
    assert verbs.train({"DATA": "mine.csv", "CLUSTER": "local"}, shelf) == "1.1"
    assert verbs.train({"DATA": "mine.csv", "CLUSTER": "local"}, shelf) == "1.1"


def test_the_files_that_a_pattern_matches_are_remembered(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv", "c.txt"):
        (tmp_path / name).write_text(name)
    assert sorted(describe_files(f"{tmp_path}/*.csv", "", None)) == [f"{tmp_path}/a.csv", f"{tmp_path}/b.csv"]


def test_files_of_one_name_in_many_folders_and_the_catalogue_are_remembered(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "ratings.csv").write_text(folder)
    (tmp_path / "a" / "movies.csv").write_text("films")
    before = Recipe("train", {}, describe_files(f"{tmp_path}/*/ratings.csv", "", None))
    assert len(before.files) == 3
    for changed in ("a/ratings.csv", "a/movies.csv"):
        (tmp_path / changed).write_text("other than before")
        after = Recipe("train", {}, describe_files(f"{tmp_path}/*/ratings.csv", "", None))
        assert not after.is_same(before)
        before = after


def test_an_empty_cluster_is_none(shelf: Shelf) -> None:
    assert verbs.train({"DATA": "mine.csv"}, shelf) == "1.0"
    assert verbs.train({"DATA": "mine.csv", "CLUSTER": ""}, shelf) == "1.0"


@pytest.mark.parametrize(("value", "resumes"), [("1", True), ("yes", True), ("0", False), ("", False)])
def test_resume_may_be_said_to_be_off(shelf: Shelf, monkeypatch: pytest.MonkeyPatch, value: str, resumes: bool) -> None:
    asked: list[bool] = []
    train = commands.train

    def seen(recipe: Recipe, version: str, out: Path, processes: str | None, resume: bool) -> None:
        asked.append(resume)
        train(recipe, version, out, processes, resume)

    monkeypatch.setattr(commands, "train", seen)
    verbs.train({"DATA": "mine.csv", "RESUME": value}, shelf)
    assert asked == [resumes]
