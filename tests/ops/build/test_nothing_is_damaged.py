"""A verb that fails, runs beside another verb, or deletes something does not change other versions."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ops.build import commands, running, verbs
from ops.build.recipe import MADE_OF
from ops.build.shelf import Shelf, VersionError, making
from ops.settings import TORCHSERVE
from tests.ops.build.stand_ins import contents


@pytest.mark.parametrize("step", ["train", "update", "package"])
@pytest.mark.parametrize("error", [commands.CommandError(["x"], 2), RuntimeError("ours"), KeyboardInterrupt()])
def test_failed_verb_changes_no_version(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
) -> None:
    verbs.package({}, shelf)
    before = contents(shelf)

    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(commands, step, fail)
    asked = {"RATINGS": "new.csv", "DATA": "mine.csv"}
    with pytest.raises(type(error)):
        verbs.update(asked, shelf) if step == "update" else verbs.package(asked, shelf)
    after = contents(shelf)
    assert {name: after[name] for name in before} == before
    made = {name for name in after.keys() - before.keys() if not name.endswith(".lock")}
    assert made <= ({"build/1.1/ncf.pt", f"build/1.1/{MADE_OF}"} if step == "package" else set())
    monkeypatch.undo()


def test_two_verbs_cannot_make_one_version_at_once(shelf: Shelf) -> None:
    code = (
        "import sys; from pathlib import Path; from ops.build.shelf import making\n"
        "with making(Path('build/1.0')): print('held', flush=True); sys.stdin.read()"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(verbs.__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(VersionError, match=rf"version 1\.0 is being made by PID {other.pid}"):
            verbs.train({}, shelf)
        other.communicate()
    assert verbs.train({}, shelf) == "1.0"


def test_clean_deletes_versions_only_by_force(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "stop", lambda _: False)
    settings: Any = SimpleNamespace(folder=Path())
    verbs.package({}, shelf)
    before = contents(shelf)
    with pytest.raises(VersionError, match=r"build/1\.0/ncf\.pt\n.*model-store/ncf-1\.0\.mar(?s:.*)FORCE=1"):
        running.clean({}, shelf, settings)
    assert contents(shelf) == before
    running.clean({"FORCE": "1"}, shelf, settings)
    assert contents(shelf) == {}
    running.clean({}, shelf, settings)


@pytest.mark.parametrize("verb", ["serve", "run"])
def test_without_the_record_only_a_named_version_is_served(shelf: Shelf, verb: str) -> None:
    Path(".run").mkdir()
    (Path(".run") / "default").write_text("1.1\n")
    settings: Any = SimpleNamespace(folder=Path(), server=TORCHSERVE)
    with pytest.raises(VersionError, match=rf"1\.1 was served from there: .*: `make {verb} VERSION=1\.1`"):
        getattr(running, verb)({}, shelf, settings)
    assert not shelf.folder("1.0").exists()


def test_lock_of_a_folder_is_released(tmp_path: Path) -> None:
    for _ in range(2):
        with making(tmp_path / "1.0"):
            pass
