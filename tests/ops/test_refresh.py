"""A refresh, step by step. If a run is killed at any step, the next run completes it with the same result."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import ops.refresh.journal
import ops.refresh.night
import ops.refresh.prune
from ops.build import commands, verbs
from ops.client import Client
from ops.refresh.inputs import RefreshError
from ops.refresh.log import Log
from ops.refresh.night import Night, Wanted
from ops.refresh.way import Limits, choose_way
from ops.versions.rollout import Rollout
from tests.ops.faults import fail_at
from tests.ops.refresh_folder import NEWS, Folder, refresh_folder


class Killed(BaseException):
    """Stands for the end of the process: no code catches it."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Folder]:
    with refresh_folder(tmp_path, monkeypatch) as found:
        yield found


def test_new_ratings_become_the_default_if_the_verdict_says_so(folder: Folder) -> None:
    outcome = folder.refresh()
    assert (outcome.name, outcome.new_ratings, outcome.default) == ("promoted", 600, "1.1")
    seen = folder.seen()
    assert seen["server"] == (["1.0", "1.1"], "1.1")
    assert seen["defaults"] == ["1.0", "1.1"]
    assert seen["start"] == ["ncf-1.1.mar"]
    assert seen["models"]["1.1"] == "trained --seed 1 --split random --test-size 0.3, updated --hold-out 0.2"
    assert json.loads(Path("build/1.1/verdict.json").read_text())["verdict"] == "promote"
    assert json.loads(Path("build/1.1/refreshed.json").read_text())["outcome"] == "promoted"
    assert not Path("build/refresh.json").exists()


@pytest.mark.parametrize("verdict", ["keep", "cannot tell, 80 rows are too few"])
def test_the_old_version_stays_if_the_verdict_says_so(folder: Folder, verdict: str) -> None:
    folder.verdict = verdict
    assert folder.refresh().name == "kept"
    seen = folder.seen()
    assert seen["server"] == (["1.0"], "1.0")
    assert seen["registered"] == ["1.0"]
    assert seen["start"] == ["ncf-1.0.mar"]
    assert "1.1" in seen["models"]
    assert folder.refresh().default == "1.0"
    assert "1.2" in folder.seen()["models"], "the next night tries again, under the next name"


def test_refresh_without_new_ratings_makes_no_version(folder: Folder) -> None:
    before = folder.seen()
    folder.news = {**NEWS, "new": 12}
    outcome = folder.refresh()
    assert (outcome.name, outcome.new_ratings) == ("waited", 12)
    assert folder.seen() == before


@pytest.mark.parametrize(
    ("changed", "way", "why"),
    [
        ({}, "update", "600 new ratings; 0.6% came since the last training"),
        ({"trained": 90_000}, "train", "11.8% came since the last training, more than 10.0%"),
        ({"trained_at": "2026-01-20T00:00:00+00:00"}, "train", "the last training is 11 days old, more than 7"),
        ({"can_update": False}, "train", "which the network cannot take without a training"),
        ({"new": 499}, "wait", "a verdict needs 500"),
    ],
)
def test_new_ratings_decide_between_update_and_training(changed: dict[str, Any], way: str, why: str) -> None:
    chosen = choose_way({**NEWS, **changed}, Limits(), datetime(2026, 1, 31, tzinfo=UTC))
    assert chosen.name == way
    assert why in chosen.reason


def test_training_is_measured_on_the_newest_ratings_and_keeps_other_options(folder: Folder) -> None:
    folder.news = {**NEWS, "can_update": False}
    folder.refresh()
    share = 0.2 * 600 / 100_600
    assert folder.seen()["models"]["1.1"] == f"trained --seed 1 --tune-for past --split time --test-size {share:.6f}"
    folder.refresh()
    assert folder.seen()["models"]["1.2"] == f"trained --seed 1 --tune-for past --split time --test-size {share:.6f}"


def test_without_a_server_the_next_start_serves_the_promoted_version(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ops.refresh.night, "is_down", lambda *_: True)
    assert folder.refresh().name == "promoted"
    assert folder.seen()["start"] == ["ncf-1.1.mar"]
    assert folder.management.default == "1.0", "nobody asked the server"


def test_only_old_versions_of_refreshes_are_removed(folder: Folder) -> None:
    verbs.package({"DATA": "all.csv", "VERSION": "mine"}, folder.shelf)
    for _ in range(5):
        folder.news = {**NEWS, "can_update": False}
        folder.refresh(keep=2)
    seen = folder.seen()
    assert sorted(seen["models"]) == ["1.0", "1.4", "1.5", "mine"]
    assert seen["archives"] == ["ncf-1.0.mar", "ncf-1.4.mar", "ncf-1.5.mar", "ncf-mine.mar", "ncf.mar"]
    assert seen["server"] == (["1.0", "1.4", "1.5"], "1.5")
    assert Path("build/1.2/verdict.json").is_file()
    assert folder.shelf.is_taken("1.2"), "the name of a removed version is not used again"


def test_base_of_kept_versions_is_kept(folder: Folder) -> None:
    for _ in range(4):
        folder.refresh(keep=1)
    assert sorted(folder.seen()["models"]) == ["1.0", "1.1", "1.2", "1.3", "1.4"]


def test_interrupted_run_is_dropped_if_the_default_changed(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(ops.refresh.night, "judge", killed)
        with pytest.raises(Killed):
            folder.refresh()
    verbs.package({"DATA": "all.csv", "VERSION": "2.0"}, folder.shelf)
    rollout = Rollout(Client(folder.settings), folder.settings)
    rollout.register("2.0")
    rollout.promote("2.0")
    folder.refresh()
    assert json.loads(Path("build/1.1/refreshed.json").read_text())["outcome"] == "left"
    assert folder.management.default == "2.1"


def test_version_without_known_data_asks_for_it(folder: Folder) -> None:
    Path("build/1.0/made-of.json").unlink()
    night = Night(Wanted(), folder.shelf, folder.settings, Client(folder.settings), Log(Path("log")))
    with pytest.raises(RefreshError, match=r"version 1\.0 does not tell .* `make refresh DATA=ratings\.csv`"):
        night.run()


def killed(*_: Any) -> Any:
    raise Killed


# The calls of a run, by the module or class in which it looks them up. The test kills the run before or after each.
STEPS: list[tuple[Any, str]] = [
    *((commands, name) for name in ("news", "update", "train", "package")),
    *((ops.refresh.night, name) for name in ("write_journal", "judge", "write_verdict", "end_journal", "remove")),
    *((ops.refresh.journal, name) for name in ("_write",)),
    *((Client, name) for name in ("register", "promote", "unregister")),
    *((Rollout, name) for name in ("register", "promote", "unregister")),
]


@pytest.mark.parametrize(
    ("way", "verdict", "after"), [("update", "promote", True), ("update", "keep", False), ("train", "promote", False)]
)
def test_next_run_completes_a_killed_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, verdict: str, after: bool
) -> None:
    """A version is promoted, and an old one is removed. The result must equal that of a run that was not killed."""

    def prepared(number: int) -> tuple[dict[str, Any], list[str]]:
        path = tmp_path / str(number)
        path.mkdir()
        with monkeypatch.context() as outer, refresh_folder(path, outer) as folder:
            folder.news = {**NEWS, "can_update": False}
            folder.refresh(keep=1)
            folder.news, folder.verdict = {**NEWS, "can_update": way == "update"}, verdict
            with monkeypatch.context() as patch:
                calls = fail_at(patch, STEPS, number, Killed(), after)
                try:
                    folder.refresh(keep=1)
                except Killed:
                    patch.undo()
                    outer.chdir(path)
                    if Path("build/1.2/refreshed.json").is_file():
                        folder.news = {**NEWS, "new": 0}  # the version already has them
                    folder.refresh(keep=1)
            return folder.seen(), calls

    expected, calls = prepared(10_000)
    assert len(calls) > 8
    for number in range(1, len(calls) + 1):
        seen, made = prepared(number)
        assert seen == expected, f"killed at call {number}, {made[number - 1]}"
