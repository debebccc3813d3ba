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
    assert sorted(describe_files(f"{tmp_path}/*.csv", "", None)) == ["a.csv", "b.csv"]
