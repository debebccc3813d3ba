"""A prepared folder that another engine wrote wrongly is refused with the file's name and what is allowed."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.train.prepared.folders import prepared, rows_of
from train.errors import DataError
from train.prepared.extend import ExtendConfig, extend
from train.prepared.folder import PreparedFolder
from train.prepared.rows import Rows


@pytest.fixture
def folder(frame: pd.DataFrame, tmp_path: Path) -> tuple[Path, list[Rows]]:
    frame.to_csv(tmp_path / "ratings.csv", index=False)
    _, rows = prepared(tmp_path / "ratings.csv", tmp_path / "out")
    return tmp_path / "out", rows


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"ratings": 0}, "ratings: got 0, allowed: at least 1"),
        ({"parts": 6}, "parts: got 6, allowed: a power of two"),
        ({"parts": "8"}, "manifest.json: not of a prepared folder"),
        ({"rating_scale": [5, 1]}, r"rating_scale: got \[5, 1\], allowed: the lowest, then the highest"),
        ({"rating_scale": [1, 2, 5]}, "manifest.json: not of a prepared folder: too many values"),
        ({"hash": "murmur"}, "hash: got murmur, allowed: splitmix64"),
    ],
)
def test_a_wrong_manifest_is_refused(folder: tuple[Path, list[Rows]], changed: dict[str, Any], told: str) -> None:
    path = folder[0] / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))
    with pytest.raises(DataError, match=told):
        PreparedFolder(folder[0])


@pytest.mark.parametrize("text", ["[]", "[1]", "{", ""])
def test_a_manifest_that_is_no_object_is_refused(folder: tuple[Path, list[Rows]], text: str) -> None:
    (folder[0] / "manifest.json").write_text(text)
    with pytest.raises(DataError, match=r"out/manifest\.json: not of a prepared folder"):
        PreparedFolder(folder[0])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x", r"catalogue\.json: not JSON"),
        ("[]", r"catalogue\.json: has no column movie_id; allowed are columns"),
        ('{"title": ["A"]}', r"catalogue\.json: has no column movie_id"),
        ('{"movie_id": [1, 2], "title": ["A"]}', r"catalogue\.json: title: allowed is a list with one value for each"),
    ],
)
def test_a_wrong_catalogue_is_refused(folder: tuple[Path, list[Rows]], text: str, told: str) -> None:
    (folder[0] / "catalogue.json").write_text(text)
    with pytest.raises(DataError, match=told):
        PreparedFolder(folder[0]).catalogue()


def test_ids_of_items_may_be_integers_in_one_file_and_text_in_another(folder: tuple[Path, list[Rows]]) -> None:
    out, rows = folder
    items = pd.read_parquet(out / "items.parquet").astype({"item_id": str})
    items.to_parquet(out / "items.parquet")
    ids = sorted(items["item_id"])
    found = rows_of(PreparedFolder(out))
    assert sum(len(one.item) for one in found) == sum(len(one.item) for one in rows)
    assert {ids[row] for one in found for row in one.item.tolist()} == set(ids)


def test_a_base_in_a_store_is_refused_by_its_address(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"--base: got s3://bucket/old, allowed is a folder of this machine"):
        extend(ExtendConfig(base="s3://bucket/old", data="new.csv", out=tmp_path / "new"))
