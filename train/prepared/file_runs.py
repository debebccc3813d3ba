"""The runs of one file of ratings. Any process that sees the file and the folder of the runs can make them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from train.dataset.data import MOVIE_ID, RATING, TIME, USER_ID
from train.dataset.reading import Reading
from train.prepared.runs import refuse_unseen, write_run
from train.readers import ReadingRules
from train.readers.by_file import LaterBlock, LaterFile
from train.readers.columns import Found, checked_columns
from train.readers.cutting import Cutter
from train.readers.rules import IdType
from train.readers.sieve import Sieve, tell_bad_lines
from train.readers.table import WholeFileError


@dataclass(frozen=True, eq=False)
class Run:
    """A run that was written, and what all runs together have to know of it.

    user_ids, movie_ids: the types of its ids. times: whether its rows have times. types: of its columns, as read.
    items: how many ratings each item has, by raw id.
    values, numbers, rows: (D,) the different ratings, ascending, how often each occurs, and in which row of the file
    first. locate: names a row of the file.
    part: whether the run is of one block of a file. reading: the report about it. bad_lines, first_bad_lines: how many
    lines were left out, and the first few.
    """

    path: Path
    ratings: int
    user_ids: IdType
    movie_ids: IdType
    times: bool
    types: list[str]
    items: pd.Series
    values: np.ndarray
    numbers: np.ndarray
    rows: np.ndarray
    locate: Callable[[int], str]
    part: bool
    reading: Reading
    bad_lines: int
    first_bad_lines: list[str]


class OneFile:
    """The runs of one file, in order. The report of the first one becomes the report about the file."""

    def __init__(self) -> None:
        self.runs: list[Run] = []

    def add(self, run: Run) -> None:
        """Adds a run. Raises WholeFileError if a block is read in another way than the first one."""
        if run.part and self.runs:
            first = self.runs[0]
            if not (run.types == first.types and first.reading.take_in(run.reading)):
                raise WholeFileError(f"{run.path.name}: unlike the first block")
        self.runs.append(run)

    def warnings(self) -> list[str]:
        """Those about the file."""
        reading = Reading(warnings=[line for run in self.runs for line in run.reading.warnings])
        blocks = [run for run in self.runs if run.part]
        first = [line for run in blocks for line in run.first_bad_lines]
        tell_bad_lines(sum(run.bad_lines for run in blocks), first, reading)
        return reading.warnings


@dataclass(frozen=True)
class RunWriter:
    """Makes the runs of files. scale: lowest and highest allowed rating. folder: where to write. cutter: of text."""

    rules: ReadingRules
    scale: tuple[float, float] | None
    folder: Path
    cutter: Cutter

    def with_types_of(self, file: OneFile) -> RunWriter:
        """One that reads ids as the types that this file has."""
        one = file.runs[0]
        return replace(self, rules=replace(self.rules, user_ids=one.user_ids, movie_ids=one.movie_ids))

    def runs_of_file(self, numbered: tuple[int, LaterFile]) -> OneFile:
        """The runs of a file, which has a number among all. A second writer of the same runs does no harm.

        Raises:
            DataError: the file cannot be read, or this machine does not see it or the folder.
            OSError: the disk is full.
        """
        number, file = numbered
        refuse_unseen([self.folder, *([] if file.source.store else [file.source.path])])
        try:
            return self._runs(number, file.read(self.rules, self.cutter))
        except WholeFileError:
            return self._runs(number, file.read(self.rules))

    def _runs(self, number: int, found: Iterator[Found]) -> OneFile:
        file = OneFile()
        for group, one in enumerate(found):
            file.add(self.write(one, f"{number}-{group}"))
        return file

    def run_of_block(self, numbered: tuple[int, LaterBlock]) -> Run | None:
        """The run of a block of the first file, or None if it has no rows.

        Raises:
            DataError, OSError: see `runs_of_file`.
            WholeFileError: the file must be read as a whole.
        """
        number, block = numbered
        refuse_unseen([self.folder, block.block.piece.path])
        found = next(block.read(), None)
        return None if found is None else self.write(found, f"0-{number}")

    def write(self, found: Found, name: str) -> Run:
        """Checks rows and writes them. Raises DataError, which names the file and the line, also WholeFileError."""
        reading = Reading(words=self.rules.words)
        table, sieve = checked_columns(found, self.rules, self.scale, reading, look_for_copies=False)
        if found.table.part and reading.warnings:  # which count rows: those of the whole file are to be told
            raise WholeFileError(reading.warnings[0])
        kept = np.flatnonzero(sieve.kept)
        table = table.take(kept)
        path = self.folder / f"{name}.arrow"
        write_run(path, table)
        return _told(path, table, kept, found, sieve, reading)


def _told(path: Path, table: pa.Table, kept: np.ndarray, found: Found, sieve: Sieve, reading: Reading) -> Run:
    values, first, numbers = _different(table[RATING])
    return Run(
        path=path,
        ratings=len(table),
        user_ids=_type_of(table[USER_ID]),
        movie_ids=_type_of(table[MOVIE_ID]),
        times=TIME in table.column_names,
        types=[*(str(column.type) for column in found.table.columns.values()), *sorted(found.table.mixed)],
        items=table[MOVIE_ID].to_pandas().value_counts(sort=False),
        values=values,
        numbers=numbers,
        rows=kept[first],
        locate=found.table.locate,
        part=found.table.part,
        reading=reading,
        bad_lines=sieve.bad_lines,
        first_bad_lines=sieve.first_bad_lines,
    )


def _different(ratings: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The different ratings (D,), ascending, the row in which each occurs first, and how often it does."""
    encoded = pc.add(ratings, 0.0).combine_chunks().dictionary_encode()  # -0 is 0
    codes, values = encoded.indices.to_numpy(), encoded.dictionary.to_numpy()
    first = np.empty(len(values), dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]  # the last assignment, that of the first row, stays
    order = np.argsort(values)
    return values[order], first[order], np.bincount(codes, minlength=len(values))[order]


def _type_of(column: pa.ChunkedArray) -> IdType:
    return "integer" if pa.types.is_integer(column.type) else "string"
