"""Whether two archives have the same items, by the movie ids in their artifacts."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import model.tables
from model.archive import MANIFEST
from model.artifact import Artifact, save_artifact
from model.ids import IdMap
from ops.versions.lineage import shared_items


def pack(artifact: Artifact, archive: Path) -> Path:
    """An archive with only the part that contains its movie ids."""
    save_artifact(artifact, archive.with_suffix(".pt"))
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(MANIFEST, json.dumps({"model": {"serializedFile": "ncf.pt"}}))
        file.write(archive.with_suffix(".pt"), "ncf.pt")
    return archive


@pytest.mark.parametrize("mapped_bytes", [1, 1 << 20], ids=["mapped ids", "small ids"])
def test_shared_items_are_counted_for_small_and_large_artifacts(
    artifact: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mapped_bytes: int
) -> None:
    monkeypatch.setattr(model.tables, "MAPPED_BYTES", mapped_bytes)
    own = artifact.movie_ids.ids
    half = IdMap(np.sort(np.concatenate([own[: len(own) // 2], own[len(own) // 2 :] + 1_000_000])))
    one = pack(artifact, tmp_path / "ncf-1.0.mar")
    other = pack(replace(artifact, movie_ids=half), tmp_path / "ncf-1.1.mar")
    assert shared_items(one, one) == 1.0
    assert shared_items(one, other) == pytest.approx((len(own) // 2) / len(own))
