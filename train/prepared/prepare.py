"""`python -m train.prepared --data DATA --out FOLDER`: ratings become a prepared folder, with bounded memory.

1. The present readers check a file or row group at a time, so an error names file and line. Its rows go to a *run*:
   one file of the rows in the order of their users' hashes.
2. Of all runs together, each part's rows are sorted, copies of a row are left out, and the part is written. A run is
   mapped, so only the part is in memory.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
from tqdm import tqdm

from train.dataset.data import MOVIE_ID, RATING, TIME, USER_ID
from train.dataset.folder import whole_folder
from train.dataset.reading import Reading, counted
from train.errors import DataError
from train.prepared import folder as layout
from train.prepared.runs import BUCKETS, part_rows, write_part, write_run
from train.readers import ReadingRules, found_by_file
from train.readers.catalogue import catalogue_frame
from train.readers.columns import Found, checked_columns, tell_file
from train.readers.scale import scale_of_counts

_FEWEST_PARTS, _PART_RATINGS = 8, 500_000


@dataclass
class _Seen:
    """What is known once all runs are written."""

    reading: Reading
    runs: list[Path] = field(default_factory=list)
    ratings: int = 0
    bad_lines: int = 0
    times: bool = True
    copies_kept: bool = False
    first: Found | None = None
    items: np.ndarray | None = None
    numbers: dict[float, int] = field(default_factory=dict)
    places: dict[float, Callable[[], str]] = field(default_factory=dict)


def prepare(
    data: str | Path, rules: ReadingRules, rating_scale: tuple[float, float] | None, out: Path, show: bool | None = None
) -> Reading:
    """Writes the folder `out`, whole or not at all; returns what was understood. show: False hides the progress bars.

    Raises:
        DataError: the ratings cannot be read, or `out` holds something else.
        OSError: the disk is full.
    """
    seen = _Seen(Reading(words=rules.words))
    hidden = None if show is None else not show
    with whole_folder(out) as target, TemporaryDirectory(prefix=".runs-", dir=out.absolute().parent) as runs:
        try:
            _write_runs(data, rules, rating_scale, Path(runs), seen, hidden)
            _write_parts(rules, rating_scale, target, str(data), seen, hidden)
        except OSError as error:
            if error.filename is not None:
                raise
            # pyarrow's own does not name the file
            raise OSError(error.errno, os.strerror(error.errno or 0), str(out)) from error
    return seen.reading


def _write_runs(
    data: str | Path,
    rules: ReadingRules,
    scale: tuple[float, float] | None,
    folder: Path,
    seen: _Seen,
    hidden: bool | None,
) -> None:
    with tqdm(desc="read", unit=" ratings", unit_scale=True, dynamic_ncols=True, disable=hidden) as progress:
        for found in found_by_file(data, rules, seen.reading):
            own = replace(rules, skip_bad_lines=rules.skip_bad_lines - seen.bad_lines)
            reading = Reading(words=rules.words)
            if seen.first is None:
                reading = seen.reading
                tell_file(found, reading)
            table, sieve = checked_columns(found, own, scale, reading, look_for_copies=False)
            if reading is not seen.reading:
                seen.reading.warnings += reading.warnings
            seen.bad_lines += sieve.bad_lines
            kept = np.flatnonzero(sieve.kept)
            table = table.take(kept)
            _note(table, kept, found, seen)
            seen.runs.append(folder / f"{len(seen.runs)}.arrow")
            write_run(seen.runs[-1], table)
            rules = replace(rules, user_ids=_type_of(table[USER_ID]), movie_ids=_type_of(table[MOVIE_ID]))
            progress.update(len(table))


def _note(table: pa.Table, kept: np.ndarray, found: Found, seen: _Seen) -> None:
    if seen.first is None:
        seen.first, seen.copies_kept = replace(found, table=replace(found.table, columns={})), found.published_copies
    seen.ratings += len(table)
    seen.times &= TIME in table.column_names
    items = np.unique(layout.id_array(table[MOVIE_ID].unique()))
    seen.items = items if seen.items is None else np.union1d(seen.items, items)
    values, first, numbers = np.unique(table[RATING].to_numpy(), return_index=True, return_counts=True)
    for value, row, number in zip(values.tolist(), first.tolist(), numbers.tolist(), strict=True):
        seen.numbers[value] = seen.numbers.get(value, 0) + number
        locate = found.table.locate
        seen.places.setdefault(value, lambda locate=locate, row=int(kept[row]): locate(row))  # type: ignore[misc]


def _write_parts(
    rules: ReadingRules,
    asked: tuple[float, float] | None,
    target: Path,
    source: str,
    seen: _Seen,
    hidden: bool | None,
) -> None:
    assert seen.first is not None
    assert seen.items is not None
    scale = asked or _seen_scale(seen, seen.first)
    parts = max(_FEWEST_PARTS, min(BUCKETS, 1 << (max(seen.ratings // _PART_RATINGS, 1)).bit_length()))
    runs = [pa.ipc.open_file(pa.memory_map(str(path))).read_all() for path in seen.runs]
    keep = rules.copies == "keep" or (rules.copies == "auto" and seen.copies_kept)
    rows = users = 0
    for part in tqdm(range(parts), "write", unit=" parts", dynamic_ncols=True, disable=hidden):
        found = part_rows(runs, part, parts, seen.times, keep)
        write_part(target / layout.RATINGS / f"part={part}", found)
        rows, users = rows + len(found.rating), users + len(found.users)
    reading, items = seen.reading, rules.words
    reading.say(f"{rows:,} ratings by {counted(users, 'user')} of {counted(len(seen.items), items.item, items.items)}")
    if rows < seen.ratings:
        told = f"{counted(seen.ratings - rows, 'row')} like an earlier one in user, {items.item}, rating and time"
        reading.warn(f"{told}, left out; --copies keep keeps them")
    columns = pa.table({"item_id": layout.id_column(seen.items)})
    pyarrow.parquet.write_table(columns, target / layout.ITEMS)
    _write_catalogue(seen.first, seen.items, target, reading)
    manifest = layout.Manifest(
        format=layout.FORMAT,
        hash=layout.HASH,
        parts=parts,
        ratings=rows,
        rating_scale=scale,
        times=seen.times,
        source=source,
        reading=reading.told(),
    )
    (target / layout.MANIFEST).write_text(layout.manifest_json(manifest), encoding="utf-8")


def _seen_scale(seen: _Seen, first: Found) -> tuple[float, float]:
    distinct = np.array(sorted(seen.numbers))
    numbers = np.array([seen.numbers[value] for value in distinct.tolist()])
    name, column = first.table.name, first.columns.rating
    return scale_of_counts(name, column, distinct, numbers, lambda value: seen.places[value](), seen.reading)


def _write_catalogue(first: Found, rated: np.ndarray, target: Path, reading: Reading) -> None:
    if first.catalogue is None:
        return
    frame: pd.DataFrame = catalogue_frame(first.catalogue, rated.dtype.kind != "S")
    known = int(frame[MOVIE_ID].isin(rated if rated.dtype.kind != "S" else np.char.decode(rated)).sum())
    items = reading.words.items
    told = f"catalogue {first.catalogue_name}: {len(frame):,} {items}, {known:,} of the {len(rated):,} rated ones"
    if not known and first.asked_for:
        raise DataError(f"{told}: are the ids of another kind?")
    (reading.say if known else reading.warn)(told + ("" if known else "; it is not used"))
    if known:
        columns = {str(name): frame[name].tolist() for name in frame.columns}
        (target / layout.CATALOGUE).write_text(json.dumps(columns, ensure_ascii=False), encoding="utf-8")


def _type_of(column: pa.ChunkedArray) -> Any:
    return "integer" if pa.types.is_integer(column.type) else "string"
