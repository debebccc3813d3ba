"""The verb `adopt` without training and without make: a stand-in for the command writes the files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ops.build import commands
from ops.build.adopting import adopt
from ops.build.plan import trained_recipe
from ops.build.shelf import Shelf, VersionError
from ops.store.record import read_record
from tests.ops.build.stand_ins import write_archive

ASKED = {"MODEL": "net.pt", "USERS": "users.csv", "MOVIES": "movies.csv"}


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.chdir(tmp_path)
    for name in ("net.pt", "users.csv", "movies.csv", "own.py"):
        (tmp_path / name).write_text(name)
    for name in ("build", "model-store"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(commands, "adopt", write_adopted)
    monkeypatch.setattr(commands, "package", write_archive)
    return Shelf(Path("build"), Path("model-store"))


def write_adopted(options: dict[str, str], _version: str, out: Path) -> None:
    (out / "ncf.pt").write_text(Path(options["MODEL"]).read_text())


def test_first_adopted_version_becomes_the_default(shelf: Shelf) -> None:
    assert adopt(ASKED, shelf) == "own-1"
    assert read_record(shelf.store).default == "own-1"
    assert trained_recipe(shelf, "own-1") is None
    (shelf.folder("own-1") / "ncf.pt").read_text()


def test_moved_files_give_the_same_version(shelf: Shelf, tmp_path: Path) -> None:
    adopt({**ASKED, "VERSION": "own-1"}, shelf)
    (tmp_path / "copy").mkdir()
    for name in ASKED.values():
        (tmp_path / "copy" / name).write_text(name)
    copied = {name: f"copy/{path}" for name, path in ASKED.items()}
    assert adopt({**copied, "VERSION": "own-1"}, shelf) == "own-1"


@pytest.mark.parametrize("changed", [{"SCALE": "1 5"}, {"MODULE": "own.py:Net"}, {"MODEL": "own.py"}])
def test_a_version_is_not_replaced_by_another_network(shelf: Shelf, changed: dict[str, str]) -> None:
    adopt({**ASKED, "VERSION": "own-1"}, shelf)
    with pytest.raises(VersionError, match=r"own-1 already exists, .* `make adopt .* VERSION=own-2`"):
        adopt({**ASKED, **changed, "VERSION": "own-1"}, shelf)
    assert adopt({**ASKED, **changed}, shelf) == "own-2"


@pytest.mark.parametrize("lacking", ASKED)
def test_missing_file_is_named(shelf: Shelf, lacking: str) -> None:
    with pytest.raises(VersionError, match=f"{lacking}: give the file: `make adopt MODEL=net.pt"):
        adopt({name: path for name, path in ASKED.items() if name != lacking}, shelf)
    with pytest.raises(VersionError, match=rf"{lacking}: none: no such file"):
        adopt({**ASKED, lacking: "none"}, shelf)


@pytest.mark.parametrize("error", [commands.CommandError(["x"], 2), KeyboardInterrupt()])
def test_failed_adoption_leaves_no_files(shelf: Shelf, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(commands, "adopt", fail)
    with pytest.raises(type(error)):
        adopt(ASKED, shelf)
    assert not shelf.folder("own-1").exists()
