"""A folder with a stand-in for the server, in which a refresh makes versions without training."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import ops.refresh.night
import ops.versions.checks
import ops.versions.rollout
from ops.build import commands, verbs
from ops.build.recipe import Recipe
from ops.build.shelf import Shelf
from ops.canary.decision import Decision
from ops.canary.verdict import Verdict
from ops.process import state
from ops.refresh.log import Log
from ops.refresh.metrics import Outcome
from ops.refresh.night import Night, Wanted
from ops.settings import ServerSettings, stamp
from ops.store.record import change_record, read_record
from ops.versions import reference, smoke
from tests.ops.build.stand_ins import write_archive
from tests.ops.management import Management, client_for, served, settings_for

NEWS = {"new": 600, "timed": True, "held": 100_000, "trained": 100_000, "trained_at": None, "can_update": True}


def write_model(path: Path, text: str, base: Path | None = None) -> None:
    """Writes a stand-in for an artifact: a zip file with metadata and a text, to which an update adds."""
    before = read_model(base) if base is not None else ""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("ncf/extra/metadata.json", json.dumps({"created": "2026-01-31T03:00:00+00:00"}))
        file.writestr("model", before + text)


def read_model(path: Path) -> str:
    with zipfile.ZipFile(path) as file:
        return file.read("model").decode()


def train(recipe: Recipe, _version: str, out: Path, _processes: str | None, _resume: bool) -> None:
    write_model(out / "ncf.pt", f"trained {recipe.options['TRAIN_ARGS']}")


def update(options: dict[str, str], base: Path, _version: str, out: Path) -> None:
    write_model(out / "ncf.pt", f", updated {options['UPDATE_ARGS']}", base)


@dataclass
class Folder:
    """Version 1.0 is served. The test sets the new ratings of a night and the verdict on them."""

    path: Path
    management: Management
    settings: ServerSettings
    shelf: Shelf
    news: dict[str, Any] = field(default_factory=lambda: dict(NEWS))
    verdict: str = "promote"

    def refresh(self, **wanted: Any) -> Outcome:
        client = client_for(self.path, self.settings.management)
        return Night(Wanted("all.csv", **wanted), self.shelf, self.settings, client, Log(self.path / "log")).run()

    def judged(self, version: str, other: str) -> Verdict:
        return Verdict(version, other, Decision(self.verdict, ("because",)), {}, None, "none", (1, 1))

    def seen(self) -> dict[str, Any]:
        """Everything that a run leaves, except times."""
        store, inode = self.shelf.store, (self.shelf.store / "ncf.mar").stat().st_ino
        record = read_record(store)
        return {
            "server": (sorted(self.management.versions), self.management.default),
            "registered": sorted(record.registered),
            "defaults": record.defaults,
            "start": [path.name for path in store.glob("ncf-*.mar") if path.stat().st_ino == inode],
            "archives": sorted(path.name for path in store.glob("*.mar")),
            "models": {version: read_model(self.shelf.artifact(version)) for version in self.shelf.trained()},
            "files": sorted(str(path) for path in self.shelf.build.rglob("*.json")),
            "loaded": sorted(state.read(self.settings)["loaded"]),  # type: ignore[index]
        }


@contextmanager
def refresh_folder(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Folder]:
    """Archives are simple files here: the checks of their digests, ids and answers are switched off."""
    monkeypatch.chdir(path)
    monkeypatch.setattr(commands, "train", train)
    monkeypatch.setattr(commands, "update", update)
    monkeypatch.setattr(commands, "package", write_archive)
    monkeypatch.setattr(ops.versions.checks, "check_archive", lambda one: one.name)
    monkeypatch.setattr(reference, "Reference", lambda *_: type("R", (), {"artifact": None}))
    monkeypatch.setattr(smoke, "smoke", lambda *_: None)
    monkeypatch.setattr(smoke, "asks", lambda _: [("one pair", b"{}")])
    monkeypatch.setattr(ops.versions.rollout, "_QUIET_S", 0.0)
    monkeypatch.setattr(ops.refresh.night, "item_ids_of", lambda *_: ("movie_id", "movie_id"))
    monkeypatch.setattr(ops.refresh.night, "requests_to_try", lambda *_: ([b"{}"], "one"))
    (path / "all.csv").write_text("ratings")
    shelf = Shelf(Path("build"), Path("model-store"))
    shelf.store.mkdir()
    management = Management()
    with served(management) as address:
        folder = Folder(path, management, settings_for(path, address), shelf)
        verbs.package({"DATA": "all.csv", "TRAIN_ARGS": "--seed 1 --split random --test-size 0.3"}, shelf)
        change_record(shelf.store, lambda record: record.with_registered(["1.0"]))
        loaded = {"1.0": stamp(shelf.archive("1.0").resolve())}
        state.write(folder.settings, {"pid": None, "scratch": "s", "started_with": None, "loaded": loaded})
        monkeypatch.setattr(commands, "news", lambda *_: folder.news)
        monkeypatch.setattr(ops.refresh.night, "judge", lambda version, other, *_: folder.judged(version, other))
        monkeypatch.setattr(ops.refresh.night, "compare", lambda version, other, *_: folder.judged(version, other))
        yield folder
