"""The history shows every version, even removed ones."""

from __future__ import annotations

import json
import re
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.artifact import Artifact
from model.history import History
from ops.build.shelf import Shelf
from ops.canary.asked import requests_to_try
from ops.canary.measured import MeasureError, measure, sources
from ops.canary.traffic import draw_requests
from ops.refresh.history import history, table
from ops.refresh.metrics import FAILED, Outcome, write_metrics
from ops.refresh.prune import remove
from ops.refresh.reigns import Reign, reigns
from ops.store.record import Event, Record


def at(hour: int) -> str:
    return f"2026-01-31T{hour:02}:00:00Z"


def test_rollback_starts_a_new_reign_of_the_previous_version() -> None:
    events = (
        Event("promoted", "1.0", at(1)),
        Event("promoted", "1.1", at(2)),
        Event("rolled-back", "1.1", at(3)),
        Event("promoted", "1.2", at(4)),
    )
    found = reigns(Record(events=events))
    assert found["1.0"] == [Reign(at(1), at(2)), Reign(at(3), at(4))]
    assert found["1.1"] == [Reign(at(2), at(3))]
    assert found["1.2"] == [Reign(at(4), None)]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """Version 1.0 with metadata, served since nine o'clock; 1.1, an update of it, with a verdict."""
    shelf = Shelf(tmp_path / "build", tmp_path / "model-store")
    shelf.store.mkdir()
    (shelf.store / "versions").write_text(f"default 1.0\nregistered 1.0\npromoted 1.0 {at(9)}\n")
    figures = {"metrics": {"known": {"network": {"rmse": 1.25}}}, "rankings": {"liked": {"blend": {"ndcg@10": 0.31}}}}
    trained = {"version": "1.0", "created": at(8), "num_ratings": 5_000, "num_users": 40, **figures}
    trained["data"] = {"file": "all.csv"}
    steps = [{"data": {"file": "monday.csv"}}, {"data": {"file": "tuesday, a much longer name.csv"}}]
    updated = {**trained, "version": "1.1", "created": at(10), "updates": steps, "metrics_of": {"version": "1.0"}}
    for metadata in (trained, updated):
        folder = shelf.folder(str(metadata["version"]))
        folder.mkdir(parents=True)
        with zipfile.ZipFile(folder / "ncf.pt", "w") as file:
            file.writestr("ncf/extra/metadata.json", json.dumps(metadata))
    errors = {"difference": -0.125, "low": -0.2, "high": -0.05, "other": 3.0}
    rankings = {"difference": 0.0123, "low": 0.001, "high": 0.02, "other": 0.3}
    verdict = {"verdict": "promote", "with": "1.0", "measured": {"errors": errors, "rankings": rankings}}
    (shelf.folder("1.1") / "verdict.json").write_text(json.dumps(verdict))
    return shelf


def test_table_shows_data_errors_verdict_and_reign(shelf: Shelf) -> None:
    head, first, second = table(history(shelf)).splitlines()
    columns = [head.index(name) for name in ("made by", "data", "ratings", "verdict", "served")]
    assert all(line[column - 2 : column] == "  " for column in columns for line in (first, second))
    assert re.split(" {2,}", first) == [
        *("1.0", "train", "all.csv", "5,000", "40", "1.2500", "0.3100", "-"),
        "2026-01-31 09:00 to now",
    ]
    assert re.split(" {2,}", second) == [
        *("1.1", "update", "tuesday, a much longer name.csv", "5,000", "40", "-", "-"),  # not measured anew
        *("promote against 1.0, MSE -0.1250, nDCG@10 +0.0123", "never"),
    ]


def test_a_verdict_without_rankings_has_errors_alone(shelf: Shelf) -> None:
    path = shelf.folder("1.1") / "verdict.json"
    verdict = json.loads(path.read_text())
    verdict["measured"]["rankings"] = None
    path.write_text(json.dumps(verdict))
    assert "promote against 1.0, MSE -0.1250  never" in table(history(shelf))


def test_a_removed_version_stays_in_the_history(shelf: Shelf) -> None:
    before = table(history(shelf))
    remove(shelf, "1.1")
    assert not shelf.artifact("1.1").exists()
    assert table(history(shelf)) == before
    remove(shelf, "1.1")  # as after a kill
    assert table(history(shelf)) == before


def test_sources_of_a_version_include_those_of_its_bases(shelf: Shelf) -> None:
    for version, made_by, options in (
        ("1.0", "train", {"DATA": "all.csv"}),
        ("1.1", "update", {"FROM": "1.0", "RATINGS": "new.csv"}),
    ):
        recipe = {"made_by": made_by, "options": options, "files": {}}
        (shelf.folder(version) / "made-of.json").write_text(json.dumps(recipe))
    assert sources("1.1", shelf) == ["new.csv", "all.csv"]
    with pytest.raises(MeasureError, match="unknown or no longer exist: name ratings with DATA="):
        measure("1.1", "1.0", shelf, None)
    with pytest.raises(MeasureError, match=r"build/2\.0/ncf\.pt: no such file"):
        measure("2.0", "1.0", shelf, None)


ITEM_IDS = ("movie_id", "movie_id")


def test_requests_come_from_a_file_of_bodies_or_from_the_log_of_nginx(tmp_path: Path) -> None:
    (tmp_path / "bodies.jsonl").write_text('{"user_id": 1}\n{"user_id": 2}\n')
    line = {"path": "/predictions/ncf", "version": "1.0", "status": "200", "seconds": "0.1", "body": '{"user_id": 1}'}
    (tmp_path / "nginx.log").write_text(f"{json.dumps(line)}\n" * 3)
    (tmp_path / "empty.log").write_text(json.dumps({**line, "body": "-"}) + "\n")

    def nothing_is_drawn() -> None:
        raise AssertionError

    found, told = requests_to_try(tmp_path / "bodies.jsonl", nothing_is_drawn, ITEM_IDS)  # type: ignore[arg-type]
    assert (len(found), told) == (2, f"2 recorded in {tmp_path / 'bodies.jsonl'}")
    found, told = requests_to_try(tmp_path / "nginx.log", nothing_is_drawn, ITEM_IDS)  # type: ignore[arg-type]
    assert [json.loads(body) for body in found] == [{"user_id": 1}]
    assert told.startswith("1 recorded by nginx in ")
    with pytest.raises(ValueError, match="contains no request"):
        requests_to_try(tmp_path / "empty.log", nothing_is_drawn, ITEM_IDS)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"REQUESTS: 50: no such file; allowed is a file with the body of a request"):
        requests_to_try(Path("50"), nothing_is_drawn, ITEM_IDS)  # type: ignore[arg-type]


def test_users_of_a_version_without_ratings_are_drawn_equally_often(artifact: Artifact) -> None:
    nothing = np.empty(0, dtype=np.int64)
    num_users = len(artifact.user_ids)
    unrated = replace(artifact, history=History.from_ratings(nothing, nothing, nothing, num_users))
    bodies = [json.loads(body) for body in draw_requests(unrated, 60 * num_users, "movie_id")]
    counts = Counter(body["user_id"] for body in bodies)
    assert (len(counts), min(counts.values()) > 30) == (num_users, True)


def test_a_failed_run_keeps_the_time_of_the_last_success(tmp_path: Path) -> None:
    def value(name: str) -> float:
        [line] = [line for line in path.read_text().splitlines() if line.startswith(name)]
        return float(line.split()[1])

    path = tmp_path / "refresh.prom"
    write_metrics(path, Outcome(FAILED), 1.0)
    assert value("ncf_refresh_success_timestamp_seconds ") == 0
    write_metrics(path, Outcome("waited", 3, "1.0"), 2.0)
    success = value("ncf_refresh_success_timestamp_seconds ")
    assert success > 0
    assert value("ncf_refresh_new_ratings ") == 3
    write_metrics(path, Outcome(FAILED), 1.0)
    assert value("ncf_refresh_success_timestamp_seconds ") == success
    assert value('ncf_refresh_outcome{outcome="failed"}') == 1
    assert value('ncf_refresh_outcome{outcome="waited"}') == 0
