"""Archives and artifacts that were made elsewhere, renamed or lost."""

from __future__ import annotations

from typing import Any

import pytest

from ops.build import verbs
from ops.build.shelf import Shelf, VersionError
from tests.ops.build.stand_ins import artifact, made_elsewhere


@pytest.mark.parametrize("verb", [verbs.train, verbs.package])
def test_version_without_a_recipe_is_used_unchanged(shelf: Shelf, verb: Any) -> None:
    made_elsewhere(shelf, "own-1")
    assert verb({"VERSION": "own-1"}, shelf) == "own-1"
    assert artifact(shelf, "own-1") == "by hand"
    with pytest.raises(VersionError, match=r"own-1 was made elsewhere, and .* VERSION=own-2`$"):
        verb({"VERSION": "own-1", "DATA": "mine.csv"}, shelf)
    assert artifact(shelf, "own-1") == "by hand"


def test_archive_without_artifact_is_served_and_never_trained(shelf: Shelf) -> None:
    verbs.package({}, shelf)
    shelf.artifact("1.0").unlink()
    assert verbs.package({}, shelf) == "1.0"
    with pytest.raises(VersionError, match=r"build/1\.0/ncf\.pt is missing"):
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
