"""A refresh on the real server: it adds new ratings, judges the version, and serves it."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pytest

from ops.build.shelf import Shelf
from ops.versions.rollout import Rollout
from tests.e2e.project import Project

pytestmark = pytest.mark.e2e


def grown(project: Project) -> None:
    """all.csv: the training's ratings, and then high ratings by 250 users for four movies with few ratings before."""
    ratings = pd.read_csv(project.folder / "build" / "demo" / "rates.csv")
    few = ratings["movie"].value_counts().index[-4:]
    fans = ratings.loc[~ratings["movie"].isin(few), "user"].drop_duplicates()[:250]
    new = pd.DataFrame([(user, movie, 10) for user in fans for movie in few], columns=["user", "movie", "rate"])
    known = set(zip(ratings["user"], ratings["movie"], strict=True))
    new = new[[pair not in known for pair in zip(new["user"], new["movie"], strict=True)]]
    new["time"] = ratings["time"].max() + 60 * (1 + new.index)
    pd.concat([ratings, new]).to_csv(project.folder / "all.csv", index=False)


def test_refresh_updates_judges_and_promotes(served: Project) -> None:
    grown(served)
    bodies = [json.dumps({"user_id": user, "top_k": 10}) for user in range(60)]
    (served.folder / "bodies.jsonl").write_text("\n".join(bodies) + "\n")
    version = Shelf(served.folder / "build", served.settings.model_store).next_free("1.0")
    try:
        told = served.make("refresh", "DATA=all.csv", "REQUESTS=bodies.jsonl", "REFRESH_ARGS=--textfile refresh.prom")
        assert f"version {version} from 1.0 by update" in told
        verdict = json.loads((served.folder / "build" / version / "verdict.json").read_text())
        assert verdict["verdict"] == "promote", verdict["reasons"]
        assert verdict["measured"]["errors"]["high"] < 0
        assert verdict["requests"] == "60 recorded in bodies.jsonl"
        assert verdict["trial"]["canary"]["requests"] == 60
        assert verdict["measured"]["rows"]["newest"] is True
        assert served.default_version == version
        assert 'ncf_refresh_outcome{outcome="promoted"} 1' in (served.folder / "refresh.prom").read_text()
        assert f"promoted version {version}" in (served.folder / "logs" / "refresh.log").read_text()
        assert "0 new ratings" in served.make("refresh")
        history = served.make("history")
        assert "wrote build/history.png" in history
        [line] = [line for line in history.splitlines() if line.startswith(version)]
        assert "promote" in line
        assert "nDCG@10" in line
        assert f"wrote build/{version}/report.html" in served.make("report", f"VERSION={version}", "WITH=1.0")
        assert "Beside version 1.0" in (served.folder / "build" / version / "report.html").read_text()
    finally:
        leave(served, version)


def leave(project: Project, version: str) -> None:
    """Restores the state that other modules expect: only version 1.0, and no other version."""
    rollout = Rollout(project.client, project.settings)
    if project.default_version == version:
        rollout.rollback()
    if version in project.versions:
        rollout.unregister(version)
    (project.folder / "model-store" / f"ncf-{version}.mar").unlink(missing_ok=True)
    shutil.rmtree(project.folder / "build" / version, ignore_errors=True)
