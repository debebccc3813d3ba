"""Prepared folders that tests make and compare."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from model.ids import IdMap
from train.prepared.folder import PreparedFolder
from train.prepared.prepare import prepare
from train.prepared.rows import Rows
from train.readers import ReadingRules

RULES = ReadingRules()


def prepared(data: Path | str, out: Path, rules: ReadingRules = RULES) -> tuple[PreparedFolder, list[Rows]]:
    prepare(data, rules, None, out)
    folder = PreparedFolder(out)
    return folder, rows_of(folder)


def rows_of(folder: PreparedFolder) -> list[Rows]:
    ids = IdMap(folder.items())
    return [folder.rows(part, ids) for part in range(folder.manifest.parts)]


def same(one: list[Rows], other: list[Rows]) -> bool:
    return all(
        (left is None and right is None) or np.array_equal(np.asarray(left), np.asarray(right))
        for first, second in zip(one, other, strict=True)
        for left, right in zip(first, second, strict=True)
    )


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
