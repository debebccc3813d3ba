"""Runs, which hold the rows of a file by the hash of the user, and the parts that are made of all runs together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from train.dataset.data import MOVIE_ID, RATING, TIME, USER_ID
from train.prepared import folder as layout
from train.prepared.hashes import id_hashes, part_of

BUCKETS = 1024  # of a run; the most parts


def write_run(path: Path, table: pa.Table) -> None:
    """Writes checked ratings, sorted by the hash of the user."""
    bucket = part_of(id_hashes(layout.id_array(table[USER_ID])), BUCKETS)
    ends = np.concatenate(([0], np.cumsum(np.bincount(bucket, minlength=BUCKETS))))
    ordered = table.take(np.argsort(bucket, kind="stable")).combine_chunks()
    schema = ordered.schema.with_metadata({b"ends": json.dumps(ends.tolist())})
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, schema) as writer:
        writer.write_table(ordered)


def part_rows(runs: list[pa.Table], part: int, parts: int, times: bool, keep_copies: bool) -> layout.Rows:
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
    rows = layout.sorted_rows(users, items, table[RATING].to_numpy().astype(np.float32), time)
    return rows if keep_copies else without_copies(rows)


def without_copies(rows: layout.Rows) -> layout.Rows:
    """The same without the rows that are like the one before in all columns."""
    if len(rows.rating) < 2:
        return rows
    columns: list[np.ndarray] = [rows.owner, rows.item, rows.rating, *([] if rows.time is None else [rows.time])]
    same = np.logical_and.reduce([one[1:] == one[:-1] for one in columns])
    kept = np.concatenate(([True], ~same))
    start = np.concatenate(([0], np.cumsum(np.bincount(rows.owner[kept], minlength=len(rows.users)))))
    time = None if rows.time is None else rows.time[kept]
    return layout.Rows(rows.users, start, rows.item[kept], rows.rating[kept], time)


def write_part(folder: Path, rows: layout.Rows) -> None:
    """Writes a part; `item` holds raw ids."""
    folder.mkdir(parents=True)
    columns: dict[str, Any] = {
        "user_id": layout.id_column(rows.users).take(pa.array(rows.owner)),
        "item_id": layout.id_column(rows.item),
        "rating": pa.array(rows.rating),
    }
    columns |= {} if rows.time is None else {"time": pa.array(rows.time)}
    pyarrow.parquet.write_table(pa.table(columns), folder / "0.parquet", compression="zstd")
