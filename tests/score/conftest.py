"""A small version on disk, a run of the command on it, and the lists that it wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from model.artifact import Artifact, save_artifact
from score.__main__ import main


@pytest.fixture
def saved(ranked_artifact: Artifact, tmp_path: Path) -> Path:
    save_artifact(ranked_artifact, tmp_path / "ncf.pt")
    return tmp_path / "ncf.pt"


def score(saved: Path, *options: str, out: str = "best.parquet") -> int:
    words = ["--artifact", str(saved), "--out", str(saved.with_name(out)), "--processes", "1", *options]
    return main(words)


def lists(saved: Path, out: str = "best.parquet") -> dict[Any, dict[str, Any]]:
    frame = pd.read_parquet(saved.with_name(out))
    assert frame["user_id"].is_unique
    rows: list[dict[Any, Any]] = frame.to_dict("records")
    return {row["user_id"]: row for row in rows}
