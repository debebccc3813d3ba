"""Runs, which hold the rows of a file by the hash of the user, and the parts that are made of all runs together."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from model.files import atomic_write
from train.dataset.data import MOVIE_ID, RATING, TIME, USER_ID
from train.dataset.hashes import id_hashes, part_of
from train.errors import DataError
from train.prepared import folder as layout
from train.prepared.rows import Rows, sorted_rows

BUCKETS = 1024  # of a run; the most parts


def write_run(path: Path, table: pa.Table) -> None:
    """Writes checked ratings, sorted by the hash of the user."""
    bucket = part_of(id_hashes(layout.id_array(table[USER_ID])), BUCKETS).astype(np.uint16)  # which sorts by radix
    ends = np.concatenate(([0], np.cumsum(np.bincount(bucket, minlength=BUCKETS))))
    ordered = table.take(np.argsort(bucket, kind="stable")).combine_chunks()
    schema = ordered.schema.with_metadata({b"ends": json.dumps(ends.tolist())})
    with atomic_write(path) as partial, pa.OSFile(str(partial), "wb") as file, pa.ipc.new_file(file, schema) as writer:
        writer.write_table(ordered)


class Written(NamedTuple):
    """What some parts hold."""

    parts: int
    ratings: int
    users: int


@dataclass(frozen=True)
class PartWriter:
    """Makes parts of all runs together. times: whether to keep them. target: the folder to write."""

    runs: list[Path]
    parts: int
    times: bool
    keep_copies: bool
    target: Path

    def write(self, numbers: range) -> Written:
        """Writes parts with these numbers. A second writer of the same parts does no harm.

        Raises:
            DataError: this machine does not see the runs or the folder.
            OSError: the disk is full.
        """
        refuse_unseen([*self.runs, self.target])
        runs = [pa.ipc.open_file(pa.memory_map(str(path))).read_all() for path in self.runs]
        ratings = users = 0
        for number in numbers:
            rows = part_rows(runs, number, self.parts, self.times, self.keep_copies)
            write_part(self.target / layout.RATINGS / f"part={number}", rows)
            ratings, users = ratings + len(rows.rating), users + len(rows.users)
        return Written(len(numbers), ratings, users)


def refuse_unseen(paths: Sequence[Path]) -> None:
    """Raises DataError if this machine does not see one of the paths."""
    for path in paths:
        if not path.exists():
            told = f"{path}: {socket.gethostname()} has no such file or folder"
            raise DataError(f"{told}: all machines need the ratings and build/ at the same paths, or an object store")


def part_rows(runs: list[pa.Table], part: int, parts: int, times: bool, keep_copies: bool) -> Rows:
    """A part's rows of all runs; `item` holds raw ids."""
    width = BUCKETS // parts
    slices = []
    for run in runs:
        metadata: dict[bytes, bytes] = run.schema.metadata
        ends: list[int] = json.loads(metadata[b"ends"])
        begin = ends[part * width]
        slices.append(run.replace_schema_metadata().slice(begin, ends[(part + 1) * width] - begin))
    names = [USER_ID, MOVIE_ID, RATING, *([TIME] if times else [])]
    table = pa.concat_tables([one.select(names) for one in slices])
    users, items = (layout.id_array(table[name]) for name in (USER_ID, MOVIE_ID))
    time = table[TIME].to_numpy() if times else None
    rows = sorted_rows(users, items, table[RATING].to_numpy().astype(np.float32), time)
    return rows if keep_copies else without_copies(rows)


def without_copies(rows: Rows) -> Rows:
    """The same without the rows that are like the one before in all columns."""
    if len(rows.rating) < 2:
        return rows
    columns: list[np.ndarray] = [rows.owner, rows.item, rows.rating, *([] if rows.time is None else [rows.time])]
    same = np.logical_and.reduce([one[1:] == one[:-1] for one in columns])
    kept = np.concatenate(([True], ~same))
    start = np.concatenate(([0], np.cumsum(np.bincount(rows.owner[kept], minlength=len(rows.users)))))
    time = None if rows.time is None else rows.time[kept]
    return Rows(rows.users, start, rows.item[kept], rows.rating[kept], time)


def write_part(folder: Path, rows: Rows) -> None:
    """Writes a part; `item` holds raw ids."""
    folder.mkdir(parents=True, exist_ok=True)
    columns: dict[str, Any] = {
        "user_id": layout.id_column(rows.users).take(pa.array(rows.owner)),
        "item_id": layout.id_column(rows.item),
        "rating": pa.array(rows.rating),
    }
    columns |= {} if rows.time is None else {"time": pa.array(rows.time)}
    with atomic_write(folder / "0.parquet") as partial:
        pyarrow.parquet.write_table(pa.table(columns), partial, compression="zstd")
