"""A folder of versions whose commands are stand-ins."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.build import commands
from ops.build.shelf import Shelf
from tests.ops.build.stand_ins import write_archive, write_artifact, write_update


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """A folder with the data sets `build/demo` and `mine.csv`. Its stand-in commands write their arguments."""
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
