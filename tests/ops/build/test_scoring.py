"""`make score`: the options that the verb passes to `python -m score`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ops.build import commands
from ops.build.scoring import score
from ops.build.shelf import Shelf, VersionError
from ops.build.verbs import report


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The words of every started command."""
    found: list[list[str]] = []
    monkeypatch.setattr(commands, "_run_module", lambda *words: found.append(list(words)))
    return found


def test_every_variable_reaches_the_command(shelf: Shelf, told: list[list[str]]) -> None:
    asked = {"OUT": "best", "TOP_K": "20", "USERS": "u.csv", "GENRES": "Drama, Film noir", "EXCLUDE_SEEN": "0"}
    assert score({**asked, "RANK_BY": "rating", "EXACT": "1", "SCORE_ARGS": "--processes 3"}, shelf) == "1.0"
    [words] = told
    assert words == [
        *("score", "--artifact", str(Path("build/1.0/ncf.pt")), "--out", "best", "--top-k", "20", "--users", "u.csv"),
        *("--rank-by", "rating", "--no-exclude-seen", "--exact", "--genres", "Drama", "Film noir", "--processes", "3"),
    ]


@pytest.mark.parametrize(
    ("cluster", "begins"),
    [
        ("", ["score", "--artifact"]),
        ("local", ["score", "--artifact"]),
        ("auto", ["score.cluster", "--cluster", "auto", "--artifact"]),
        ("10.0.0.1:6379", ["score.cluster", "--cluster", "10.0.0.1:6379", "--artifact"]),
    ],
)
def test_a_cluster_scores_the_default_version_and_trains_no_other(
    cluster: str, begins: list[str], shelf: Shelf, told: list[list[str]]
) -> None:
    score({"OUT": "best"}, shelf)
    assert score({"OUT": "best", "CLUSTER": cluster}, shelf) == "1.0"
    assert told[-1][: len(begins)] == begins
    assert shelf.trained() == ["1.0"]


@pytest.mark.parametrize(
    ("asked", "error"),
    [({}, "OUT: give a folder"), ({"OUT": "best", "EXCLUDE_SEEN": "maybe"}, 'EXCLUDE_SEEN: got "maybe", allowed: 1')],
)
def test_what_is_missing_or_wrong_is_refused_before_any_training(
    asked: dict[str, Any], error: str, shelf: Shelf, told: list[list[str]]
) -> None:
    with pytest.raises(VersionError, match=error):
        score(asked, shelf)
    assert not shelf.artifact("1.0").exists()
    assert told == []


@pytest.mark.parametrize("verb", [score, report])
def test_a_verb_that_reads_a_version_refuses_an_unknown_one(
    verb: Callable[[dict[str, str], Shelf], str], shelf: Shelf, told: list[list[str]]
) -> None:
    with pytest.raises(VersionError, match="VERSION: got 99, allowed: none yet; `make train VERSION=99` trains it"):
        verb({"VERSION": "99", "OUT": "best"}, shelf)
    assert told == []
