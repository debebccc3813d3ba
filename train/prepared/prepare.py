"""`python -m train.prepared --data DATA --out FOLDER`: ratings become a prepared folder, with bounded memory.

1. The readers check a file, a block of a large file of text, or a row group at a time, so an error names file and line.
   Its rows go to a *run*: one file of the rows in the order of their users' hashes.
2. Of all runs together, each part's rows are sorted, copies of a row are left out, and the part is written. A run is
   mapped, so only the part is in memory.

The first file decides the columns and the types of ids. Its blocks, each file after it, and the parts are pieces of
work. This process does one after the other, or a `Launcher` spreads them over processes or machines (train/cluster).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
from tqdm import tqdm

from model.vocabulary import counted
from train.dataset.folder import whole_folder
from train.dataset.reading import Reading
from train.errors import DataError
from train.prepared import folder as layout
from train.prepared.file_runs import OneFile, Run, RunWriter
from train.prepared.launch import Launcher, in_turn
from train.prepared.runs import BUCKETS, PartWriter
from train.readers import ReadingRules, open_by_file
from train.readers.columns import Found, joined_catalogue, tell_file
from train.readers.cutting import BLOCK_BYTES, Cutter
from train.readers.rules import plain_rules
from train.readers.scale import scale_of_counts
from train.readers.table import WholeFileError

_FEWEST_PARTS, _PART_RATINGS = 8, 500_000
_PARTS_AT_ONCE = 8


@dataclass
class _Seen:
    """What is known once all runs are written."""

    reading: Reading
    allowed_bad_lines: int
    runs: list[Path] = field(default_factory=list)
    ratings: int = 0
    bad_lines: int = 0
    times: bool = True
    first: Found | None = None
    items: pd.Series = field(default_factory=lambda: pd.Series(dtype="int64"))
    numbers: dict[float, int] = field(default_factory=dict)
    places: dict[float, Callable[[], str]] = field(default_factory=dict)

    def add(self, file: OneFile) -> None:
        """Adds the runs of a file. Raises DataError if all files together have too many bad lines."""
        self.reading.warnings += file.warnings()
        for run in file.runs:
            self._add(run)

    def _add(self, run: Run) -> None:
        self.runs.append(run.path)
        self.ratings += run.ratings
        self.bad_lines += run.bad_lines
        if self.bad_lines > self.allowed_bad_lines:
            told = f"{counted(self.bad_lines, 'bad line')} so far, --skip-bad-lines allows {self.allowed_bad_lines}"
            raise DataError(f"{run.first_bad_lines[0]}; {told}")
        self.times &= run.times
        self.items = run.items if self.items.empty else self.items.add(run.items, fill_value=0).astype("int64")
        for value, number, row in zip(run.values.tolist(), run.numbers.tolist(), run.rows.tolist(), strict=True):
            self.numbers[value] = self.numbers.get(value, 0) + number
            self.places.setdefault(value, partial(run.locate, row))


def prepare(
    data: str | Path,
    rules: ReadingRules,
    rating_scale: tuple[float, float] | None,
    out: Path,
    show: bool | None = None,
    launch: Launcher = in_turn,
    block_bytes: int = BLOCK_BYTES,
) -> Reading:
    """Writes the folder `out`, whole or not at all; returns what was understood.

    show: False hides the progress bars. launch: how the pieces are done. block_bytes: larger files of text are cut.

    Raises:
        DataError: the ratings cannot be read, or `out` holds something else.
        OSError: the disk is full.
    """
    hidden = None if show is None else not show
    rules = plain_rules(rules)  # other processes cannot load the options of a command
    out.absolute().parent.mkdir(parents=True, exist_ok=True)
    scratch = TemporaryDirectory(prefix=".runs-", dir=out.absolute().parent, ignore_cleanup_errors=True)
    with whole_folder(out) as target, scratch as runs:
        writer = RunWriter(rules, rating_scale, Path(runs), Cutter(Path(runs), block_bytes))
        try:
            try:
                seen = _write_runs(data, writer, writer.cutter, launch, hidden)
            except WholeFileError:
                seen = _write_runs(data, writer, None, launch, hidden)
            _write_parts(rules, rating_scale, target, str(data), seen, launch, hidden)
        except OSError as error:
            if error.filename is not None:
                raise
            # pyarrow's own does not name the file
            raise OSError(error.errno, os.strerror(error.errno or 0), str(out)) from error
    return seen.reading


def _write_runs(
    data: str | Path, writer: RunWriter, cutter: Cutter | None, launch: Launcher, hidden: bool | None
) -> _Seen:
    """Writes the runs of all files. cutter: of the first file; None reads it as a whole. Raises WholeFileError."""
    rules = writer.rules
    seen = _Seen(Reading(words=rules.words), rules.skip_bad_lines)
    with tqdm(desc="read", unit=" ratings", unit_scale=True, dynamic_ncols=True, disable=hidden) as progress:
        files = open_by_file(data, rules, seen.reading, cutter)
        first = _first_runs(files.first, writer, seen, progress)
        for run in launch(writer.run_of_block, list(enumerate(files.blocks, 1)), lambda one: one[1].source.name):
            if run is not None:
                first.add(run)
                progress.update(run.ratings)
        seen.reading.lines += first.runs[0].reading.lines
        seen.add(first)
        writer = writer.with_types_of(first)
        for file in launch(writer.runs_of_file, list(enumerate(files.later, 1)), lambda one: one[1].source.name):
            seen.add(file)
            progress.update(sum(run.ratings for run in file.runs))
    return seen


def _first_runs(tables: Iterator[Found], writer: RunWriter, seen: _Seen, progress: tqdm[Any]) -> OneFile:
    """The runs of the first block of the first file, or of its row groups."""
    first = OneFile()
    for group, found in enumerate(tables):
        if seen.first is None:
            seen.first = replace(found, table=replace(found.table, columns={}))
            tell_file(found, seen.reading)
        first.add(writer.write(found, f"0-{group}"))
        progress.update(first.runs[-1].ratings)
        if not found.table.part:
            writer = writer.with_types_of(first)
    return first


def _write_parts(
    rules: ReadingRules,
    asked: tuple[float, float] | None,
    target: Path,
    source: str,
    seen: _Seen,
    launch: Launcher,
    hidden: bool | None,
) -> None:
    assert seen.first is not None
    scale = asked or _seen_scale(seen, seen.first)
    parts = max(_FEWEST_PARTS, min(BUCKETS, 1 << (max(seen.ratings // _PART_RATINGS, 1)).bit_length()))
    keep = rules.copies == "keep" or (rules.copies == "auto" and seen.first.published_copies)
    writer = PartWriter(seen.runs, parts, seen.times, keep, target)
    pieces = [range(first, min(first + _PARTS_AT_ONCE, parts)) for first in range(0, parts, _PARTS_AT_ONCE)]
    rows = users = 0
    with tqdm(desc="write", total=parts, unit=" parts", dynamic_ncols=True, disable=hidden) as progress:
        for written in launch(writer.write, pieces, lambda one: f"part {one[0]}"):
            rows, users = rows + written.ratings, users + written.users
            progress.update(written.parts)
    reading, items = seen.reading, rules.words
    rated = counted(len(seen.items), items.item, items.items)
    reading.say(f"{counted(rows, 'rating')} by {counted(users, 'user')} of {rated}")
    if rows < seen.ratings:
        told = f"{counted(seen.ratings - rows, 'row')} like an earlier one in user, {items.item}, rating and time"
        reading.warn(f"{told}, left out; --copies keep keeps them")
    ids = np.unique(layout.id_array(pa.chunked_array([pa.array(seen.items.index)])))
    pyarrow.parquet.write_table(pa.table({"item_id": layout.id_column(ids)}), target / layout.ITEMS)
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


def _write_catalogue(first: Found, items: pd.Series, target: Path, reading: Reading) -> None:
    frame = joined_catalogue(first, items.sort_index().sort_values(ascending=False, kind="stable"), reading)
    if frame is not None:
        columns = {str(name): frame[name].tolist() for name in frame.columns}
        (target / layout.CATALOGUE).write_text(json.dumps(columns, ensure_ascii=False), encoding="utf-8")
