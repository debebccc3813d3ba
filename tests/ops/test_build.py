"""What verbs do with versions that are there, without make and without training: `train` is a stand-in that writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from model.archive import MANIFEST
from ops.build import commands, running, verbs
from ops.build.recipe import MADE_OF, Recipe, read_recipe
from ops.build.shelf import Shelf, VersionError, making
from ops.store.record import read_record


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """A folder with the data sets `build/demo` and `mine.csv`, whose commands write what they were asked for."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "build" / "demo").mkdir(parents=True)
    (tmp_path / "build" / "demo" / "rates.csv").write_text("demo")
    (tmp_path / "mine.csv").write_text("mine")
    (tmp_path / "new.csv").write_text("new")
    (tmp_path / "model-store").mkdir()
    monkeypatch.setattr(commands, "train", write_artifact)
    monkeypatch.setattr(commands, "update", write_update)
    monkeypatch.setattr(commands, "package", write_archive)
    return Shelf(Path("build"), Path("model-store"))


def write_artifact(recipe: Recipe, _version: str, out: Path, _processes: str | None, _resume: bool) -> None:
    data = Path(recipe.options["DATA"])
    content = data.read_text() if data.is_file() else (data / "rates.csv").read_text()
    (out / "ncf.pt").write_text(f"{content} {recipe.options['PRESET']} {recipe.options['TRAIN_ARGS']}")


def write_update(options: dict[str, str], base: Path, _version: str, out: Path) -> None:
    (out / "ncf.pt").write_text(base.read_text() + Path(options["RATINGS"]).read_text())


def write_archive(artifact: Path, version: str, store: Path) -> None:
    with zipfile.ZipFile(store / f"ncf-{version}.mar", "w") as archive:
        archive.writestr(MANIFEST, json.dumps({"model": {"serializedFile": "ncf.pt", "modelVersion": version}}))
        archive.write(artifact, "ncf.pt")


def artifact(shelf: Shelf, version: str) -> str:
    return shelf.artifact(version).read_text()


def made_elsewhere(shelf: Shelf, version: str) -> None:
    shelf.folder(version).mkdir()
    shelf.artifact(version).write_text("by hand")


def test_the_first_version_is_1_0_of_the_embedded_data(shelf: Shelf) -> None:
    assert verbs.package({}, shelf) == "1.0"
    assert artifact(shelf, "1.0") == "demo default "
    assert read_record(shelf.store).default == "1.0"


@pytest.mark.parametrize("verb", [verbs.train, verbs.package])
@pytest.mark.parametrize(
    "asked", [{}, {"VERSION": "1.0"}, {"DATA": "mine.csv"}, {"DATA": "mine.csv", "PRESET": "default"}]
)
def test_the_same_data_and_options_reuse_the_version(shelf: Shelf, verb: Any, asked: dict[str, str]) -> None:
    verbs.train({"DATA": "mine.csv"}, shelf)
    written = shelf.artifact("1.0").stat().st_mtime_ns
    assert verb(asked, shelf) == "1.0"
    assert shelf.artifact("1.0").stat().st_mtime_ns == written


@pytest.mark.parametrize("asked", [{"DATA": "mine.csv"}, {"PRESET": "mlp"}, {"TRAIN_ARGS": "--seed 1"}])
def test_other_data_or_options_become_the_next_version(shelf: Shelf, asked: dict[str, str]) -> None:
    verbs.package({}, shelf)
    assert verbs.package(asked, shelf) == "1.1"
    assert artifact(shelf, "1.0") == "demo default "
    assert verbs.package(asked, shelf) == "1.1", "the version that was made of just that is found again"


@pytest.mark.parametrize("asked", [{"DATA": "mine.csv"}, {"PRESET": "mlp"}, {"TRAIN_ARGS": "--seed 1"}])
def test_a_named_version_is_not_replaced(shelf: Shelf, asked: dict[str, str]) -> None:
    verbs.package({}, shelf)
    [(name, value)] = asked.items()
    with pytest.raises(VersionError, match=r"1\.0 was made by .* never replaced: .* VERSION=1\.1`$"):
        verbs.train({"VERSION": "1.0", name: value}, shelf)
    assert artifact(shelf, "1.0") == "demo default "


def test_changed_data_becomes_the_next_version_only_on_request(shelf: Shelf) -> None:
    verbs.train({"DATA": "mine.csv"}, shelf)
    Path("mine.csv").write_text("mine, and more")
    assert verbs.train({}, shelf) == "1.0"
    assert verbs.train({"DATA": "mine.csv"}, shelf) == "1.1"
    assert (artifact(shelf, "1.0"), artifact(shelf, "1.1")) == ("mine default ", "mine, and more default ")


def test_a_copy_of_the_same_data_is_the_same_data(shelf: Shelf, tmp_path: Path) -> None:
    verbs.train({"DATA": "mine.csv"}, shelf)
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "mine.csv").write_text("mine")
    assert verbs.train({"DATA": "copy/mine.csv"}, shelf) == "1.0"


def test_a_file_that_the_options_name_is_part_of_the_recipe(shelf: Shelf) -> None:
    asked = {"DATA": "mine.csv", "TRAIN_ARGS": "--movies titles.csv"}
    Path("titles.csv").write_text("one")
    verbs.train(asked, shelf)
    Path("titles.csv").write_text("two")
    assert verbs.train(asked, shelf) == "1.1"


def test_missing_options_are_taken_from_the_default_version(shelf: Shelf) -> None:
    verbs.package({"DATA": "mine.csv", "TRAIN_ARGS": "--user-column who"}, shelf)
    assert verbs.train({"PRESET": "mlp"}, shelf) == "1.1"
    assert artifact(shelf, "1.1") == "mine mlp --user-column who"


@pytest.mark.parametrize("verb", [verbs.train, verbs.package])
def test_a_version_that_was_made_elsewhere_is_used_as_it_is(shelf: Shelf, verb: Any) -> None:
    made_elsewhere(shelf, "own-1")
    assert verb({"VERSION": "own-1"}, shelf) == "own-1"
    assert artifact(shelf, "own-1") == "by hand"
    with pytest.raises(VersionError, match=r"own-1 was made elsewhere, and .* VERSION=own-2`$"):
        verb({"VERSION": "own-1", "DATA": "mine.csv"}, shelf)
    assert artifact(shelf, "own-1") == "by hand"


def test_an_archive_alone_is_served_and_never_trained(shelf: Shelf) -> None:
    verbs.package({}, shelf)
    shelf.artifact("1.0").unlink()
    assert verbs.package({}, shelf) == "1.0"
    with pytest.raises(VersionError, match=r"build/1\.0/ncf\.pt is gone"):
        verbs.train({}, shelf)
    with pytest.raises(VersionError, match="never replaced"):
        verbs.train({"VERSION": "1.0", "DATA": "mine.csv"}, shelf)


def test_an_archive_is_not_replaced_by_one_of_another_artifact(shelf: Shelf) -> None:
    verbs.package({}, shelf)
    packed = shelf.archive("1.0").read_bytes()
    shelf.artifact("1.0").write_text("by hand")
    with pytest.raises(VersionError, match=r"another model .* `make package VERSION=1\.1 FROM=1\.0`"):
        verbs.package({}, shelf)
    assert shelf.archive("1.0").read_bytes() == packed


def test_a_version_is_packed_under_another_name(shelf: Shelf) -> None:
    verbs.package({"DATA": "mine.csv"}, shelf)
    assert verbs.package({"FROM": "1.0", "VERSION": "2.0"}, shelf) == "2.0"
    assert verbs.package({"FROM": "1.0", "VERSION": "2.0"}, shelf) == "2.0"
    assert artifact(shelf, "2.0") == artifact(shelf, "1.0")
    assert verbs.train({"PRESET": "mlp", "VERSION": "3.0"}, shelf) == "3.0"
    assert artifact(shelf, "3.0").startswith("mine")
    made_elsewhere(shelf, "own")
    with pytest.raises(VersionError, match="own already exists, and a version is never replaced"):
        verbs.package({"FROM": "1.0", "VERSION": "own"}, shelf)


def test_an_update_is_a_new_version_beside_its_base(shelf: Shelf) -> None:
    verbs.package({}, shelf)
    assert verbs.update({"RATINGS": "new.csv"}, shelf) == "1.1"
    assert artifact(shelf, "1.1") == "demo default new"
    assert read_record(shelf.store).default == "1.0"
    assert verbs.update({"RATINGS": "new.csv", "VERSION": "1.1"}, shelf) == "1.1", "the same update is not made again"
    Path("new.csv").write_text("newer")
    with pytest.raises(VersionError, match=r"1\.1 already exists, .* VERSION=1\.2`"):
        verbs.update({"RATINGS": "new.csv", "VERSION": "1.1"}, shelf)
    assert artifact(shelf, "1.1") == "demo default new"


@pytest.mark.parametrize("asked", [{}, {"RATINGS": ""}, {"RATINGS": "none.csv"}, {"RATINGS": "new.csv", "FROM": "9"}])
def test_an_update_that_cannot_be_made_leaves_nothing(shelf: Shelf, asked: dict[str, str]) -> None:
    verbs.package({}, shelf)
    with pytest.raises((VersionError, FileNotFoundError)):
        verbs.update({**asked, "VERSION": "1.1"}, shelf)
    assert not shelf.folder("1.1").exists()


@pytest.mark.parametrize("step", ["train", "update", "package"])
@pytest.mark.parametrize("error", [commands.CommandError(["x"], 2), RuntimeError("ours"), KeyboardInterrupt()])
def test_a_verb_that_fails_leaves_every_version_as_it_was(
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


def contents(shelf: Shelf) -> dict[str, bytes]:
    files = (*shelf.build.rglob("*"), *shelf.store.rglob("*"))
    return {str(path): path.read_bytes() for path in files if path.is_file()}


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


@pytest.mark.parametrize("name", ["-1", "a b", "../x", "1/0", "é"])
def test_a_name_that_cannot_be_served_is_refused(shelf: Shelf, name: str) -> None:
    with pytest.raises(VersionError, match="VERSION: got"):
        verbs.train({"VERSION": name}, shelf)


@pytest.mark.parametrize(("version", "free"), [("1.0", "1.1"), ("1.9", "1.10"), ("own", "own-2"), ("7", "8")])
def test_the_next_free_name_counts_the_last_number_up(shelf: Shelf, version: str, free: str) -> None:
    assert shelf.next_free(version) == free
    made_elsewhere(shelf, free)
    assert shelf.next_free(version) not in (version, free)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"made_by": "train"}', '{"made_by": 1, "options": {}, "files": {"a": 1}}']
)
def test_a_damaged_recipe_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / MADE_OF).write_text(text)
    with pytest.raises(ValueError, match=r"made-of\.json: damaged"):
        read_recipe(tmp_path)


@pytest.mark.parametrize("verb", ["serve", "run"])
def test_a_lost_store_serves_another_version_only_if_named(shelf: Shelf, verb: str) -> None:
    Path(".run").mkdir()
    (Path(".run") / "default").write_text("1.1\n")
    settings: Any = SimpleNamespace(folder=Path())
    with pytest.raises(VersionError, match=rf"1\.1 was served from there: .*: `make {verb} VERSION=1\.1`"):
        getattr(running, verb)({}, shelf, settings)
    assert not shelf.folder("1.0").exists()


def test_a_folder_in_use_is_free_again_afterwards(tmp_path: Path) -> None:
    for _ in range(2):
        with making(tmp_path / "1.0"):
            pass
