"""Data and options decide which version a verb makes, reuses or refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ops.build import verbs
from ops.build.recipe import MADE_OF, read_recipe
from ops.build.shelf import Shelf, VersionError
from ops.store.record import read_record
from tests.ops.build.stand_ins import artifact, made_elsewhere


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
    assert verbs.package(asked, shelf) == "1.1", "finds the version that was made from exactly this"


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


def test_a_new_name_alone_packs_nothing(shelf: Shelf) -> None:
    for version in ("1.0", "1.10", "1.9"):
        verbs.package({"VERSION": version, "DATA": "mine.csv"}, shelf)
    for verb in ("package", "serve", "run"):
        told = r"VERSION: got 99, allowed: 1\.0, 1\.9, 1\.10; `make train VERSION=99` trains it"
        with pytest.raises(VersionError, match=told):
            verbs.package({"VERSION": "99"}, shelf, verb)
    assert not shelf.folder("99").exists()
    assert verbs.package({"VERSION": "99", "TABLE": "ratings", "DATA": "mine.csv"}, shelf) == "99"


@pytest.mark.parametrize("verb", ["serve", "run"])
def test_the_first_version_of_a_server_may_have_any_name(shelf: Shelf, verb: str) -> None:
    with pytest.raises(VersionError, match="allowed: none yet; `make train VERSION=mine` trains it"):
        verbs.package({"VERSION": "mine"}, shelf)
    assert verbs.package({"VERSION": "mine"}, shelf, verb) == "mine"
    assert artifact(shelf, "mine") == "demo default "


def test_an_archive_alone_is_a_version_too(shelf: Shelf) -> None:
    (shelf.store / "ncf-2.0.mar").write_text("from elsewhere")
    (shelf.store / "ncf.mar").write_text("a second name of the default's")
    made_elsewhere(shelf, "10.0")
    assert shelf.versions() == ["2.0", "10.0"]


@pytest.mark.parametrize("name", ["-1", "a b", "../x", "1/0", "é"])
def test_a_name_that_cannot_be_served_is_refused(shelf: Shelf, name: str) -> None:
    with pytest.raises(VersionError, match="VERSION: got"):
        verbs.train({"VERSION": name}, shelf)


@pytest.mark.parametrize(("version", "free"), [("1.0", "1.1"), ("1.9", "1.10"), ("own", "own-2"), ("7", "8")])
def test_next_free_name_increases_the_last_number(shelf: Shelf, version: str, free: str) -> None:
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
