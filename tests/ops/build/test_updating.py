"""An update makes a new version and keeps its base."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.build import verbs
from ops.build.shelf import Shelf, VersionError
from ops.store.record import read_record
from tests.ops.build.stand_ins import artifact


def test_update_makes_a_new_version_and_keeps_its_base(shelf: Shelf) -> None:
    verbs.package({}, shelf)
    assert verbs.update({"RATINGS": "new.csv"}, shelf) == "1.1"
    assert artifact(shelf, "1.1") == "demo default new"
    assert read_record(shelf.store).default == "1.0"
    for named in ({"VERSION": "1.1"}, {}):
        assert verbs.update({"RATINGS": "new.csv", **named}, shelf) == "1.1", "the same update is not made again"
    Path("new.csv").write_text("newer")
    with pytest.raises(VersionError, match=r"1\.1 already exists, .* VERSION=1\.2`"):
        verbs.update({"RATINGS": "new.csv", "VERSION": "1.1"}, shelf)
    assert artifact(shelf, "1.1") == "demo default new"


@pytest.mark.parametrize("asked", [{}, {"RATINGS": ""}, {"RATINGS": "none.csv"}, {"RATINGS": "new.csv", "FROM": "9"}])
def test_failed_update_leaves_no_files(shelf: Shelf, asked: dict[str, str]) -> None:
    verbs.package({}, shelf)
    with pytest.raises((VersionError, FileNotFoundError)):
        verbs.update({**asked, "VERSION": "1.1"}, shelf)
    assert not shelf.folder("1.1").exists()


def test_a_base_that_does_not_exist_is_refused_with_those_that_do(shelf: Shelf) -> None:
    there = r"build/9/ncf\.pt: no such file; versions of this folder: "
    with pytest.raises(VersionError, match=f"{there}none yet, `make train` makes one$"):
        verbs.update({"RATINGS": "new.csv", "FROM": "9"}, shelf)
    verbs.package({}, shelf)
    verbs.package({"FROM": "1.0", "VERSION": "0.10"}, shelf)
    with pytest.raises(VersionError, match=rf"{there}0\.10, 1\.0$"):
        verbs.package({"FROM": "9"}, shelf)
