"""`python -m train.prepared.extend --base OLD --data NEW --out FOLDER`: a prepared folder with new ratings.

The new folder has the files of the old one, as hard links where the disk allows it, and one more file in each part
whose users have new ratings. Of the old ratings, only those of these parts are read, to leave out the rows that they
hold already. The old folder stays as it is. Training on the new one is like training on all ratings at once.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import tyro

from model.ids import IdMap
from model.vocabulary import counted
from train.command import run_command
from train.dataset.data import MOVIE_ID
from train.dataset.folder import whole_folder
from train.dataset.hashes import id_hashes, part_of
from train.dataset.reading import Reading
from train.errors import DataError
from train.prepared import folder as layout
from train.prepared.folder import PreparedFolder
from train.prepared.prepare import prepare
from train.prepared.rows import Rows
from train.readers.address import is_object_store
from train.readers.options import ReaderOptions
from train.readers.rules import IdType


@dataclass(frozen=True, kw_only=True)
class ExtendConfig(ReaderOptions):
    """Write a prepared folder again, with new ratings."""

    base: str | Path
    """The prepared folder to extend. It is not changed."""
    data: str
    """The new ratings, on the rating scale of the base: a folder, a file, files by a pattern, or an object store."""
    out: Path
    """The prepared folder to write."""


def extend(config: ExtendConfig) -> Reading:
    """Writes the folder `config.out`, whole or not at all; returns what was understood of the new ratings.

    Raises:
        DataError: the ratings or the base cannot be read, or the base has all of the ratings.
        OSError: the disk is full.
    """
    if is_object_store(str(config.base)):
        raise DataError(f"--base: got {config.base}, allowed is a folder of this machine: copy it here first")
    folder = Path(config.base)
    base = PreparedFolder(folder)
    items = IdMap(base.items())
    rules = replace(config, user_ids=_type_of(base.rows(0, items).users), movie_ids=_type_of(items.ids))
    with (
        whole_folder(config.out) as target,
        TemporaryDirectory(prefix=".new-", dir=config.out.absolute().parent) as scratch,
    ):
        reading = prepare(config.data, rules, base.manifest.rating_scale, Path(scratch) / "new")
        new = PreparedFolder(Path(scratch) / "new")
        if base.manifest.times and not new.manifest.times:
            raise DataError(f"{config.data}: the ratings have no times, and those of {config.base} have")
        _link(folder / layout.RATINGS, target / layout.RATINGS)
        added = _add_rows(base, new, target, config.copies != "keep")
        if not added:
            known = counted(new.manifest.ratings, "rating")
            raise DataError(f"{config.base}: already has what {config.data} holds, {known}")
        _write_items(base, new, target)
        _write_manifest(base, added, config, reading, target)
    return reading


def _type_of(ids: np.ndarray) -> IdType:
    return "string" if ids.dtype.kind == "S" else "integer"


def _link(source: Path, target: Path) -> None:
    """The same files: a file of a prepared folder is never written again, so both folders may share it."""
    for path in sorted(one for one in source.rglob("*") if one.is_file()):
        own = target / path.relative_to(source)
        own.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(path, own)
        except OSError:  # another disk, or one without links
            shutil.copy2(path, own)


def _add_rows(base: PreparedFolder, new: PreparedFolder, target: Path, drop_known: bool) -> int:
    """Writes the new rows into their parts; returns their number."""
    added = 0
    ids = IdMap(base.items())
    for part, table in _by_part(new, base.manifest.parts):
        folder = target / layout.RATINGS / f"part={part}"
        rows = table if base.manifest.times or not new.manifest.times else table.drop_columns("time")
        if drop_known:
            rows = _without(rows, _table(base.rows(part, ids), ids))
        if len(rows):
            added += len(rows)
            folder.mkdir(parents=True, exist_ok=True)
            files = len(list(folder.iterdir()))
            pyarrow.parquet.write_table(rows, folder / f"added-{files}.parquet", compression="zstd")
    return added


def _by_part(new: PreparedFolder, parts: int) -> Iterator[tuple[int, pa.Table]]:
    """The new rows, by the part of the base that their users belong to."""
    ids = IdMap(new.items())
    for number in range(new.manifest.parts):
        rows = new.rows(number, ids)
        own = part_of(id_hashes(rows.users), parts)[rows.owner]
        table = _table(rows, ids)
        for part in np.unique(own).tolist():
            yield part, table.filter(own == part)


def _table(rows: Rows, ids: IdMap) -> pa.Table:
    """The rows as a file of a part has them."""
    columns = {
        "user_id": layout.id_column(rows.users).take(pa.array(rows.owner)),
        "item_id": layout.id_column(ids.ids[rows.item]),
        "rating": pa.array(rows.rating),
    }
    return pa.table(columns if rows.time is None else {**columns, "time": pa.array(rows.time)})


def _without(rows: pa.Table, known: pa.Table) -> pa.Table:
    """The rows that are not among the known ones."""
    seen = known.to_pandas().drop_duplicates()
    places = rows.to_pandas().merge(seen, how="left", on=rows.column_names, indicator="place")["place"]
    return rows.filter((places == "left_only").to_numpy())


def _write_items(base: PreparedFolder, new: PreparedFolder, target: Path) -> None:
    """The items of both, and what is known of them; the base's words count where both know an item."""
    ids = np.union1d(base.items(), new.items())
    pyarrow.parquet.write_table(pa.table({"item_id": layout.id_column(ids)}), target / layout.ITEMS)
    known = [one for one in (base.catalogue(), new.catalogue()) if one is not None]
    if known:
        joined = pd.concat(known, ignore_index=True).drop_duplicates(MOVIE_ID)
        filled = joined.astype("object").where(joined.notna(), None)
        columns = {str(name): filled[name].tolist() for name in filled.columns}
        (target / layout.CATALOGUE).write_text(json.dumps(columns, ensure_ascii=False), encoding="utf-8")


def _write_manifest(base: PreparedFolder, added: int, config: ExtendConfig, reading: Reading, target: Path) -> None:
    told = base.manifest
    manifest = replace(
        told,
        ratings=told.ratings + added,
        source=", ".join(one for one in (told.source, config.data) if one),
        reading={name: [*(told.reading or {}).get(name, []), *lines] for name, lines in reading.told().items()},
    )
    (target / layout.MANIFEST).write_text(layout.manifest_json(manifest), encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Extends; returns the exit status."""
    config = tyro.cli(ExtendConfig, prog="python -m train.prepared.extend", args=arguments)

    def body() -> str:
        return f"{extend(config).text()}\nwrote {config.out}"

    return run_command("extend", body, "nothing was written")


if __name__ == "__main__":
    sys.exit(main())
