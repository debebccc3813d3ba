"""The runs of one file of ratings. Any process that sees the file and the folder of the runs can make them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from train.dataset.data import MOVIE_ID, RATING, TIME, USER_ID
from train.dataset.reading import Reading
from train.prepared.runs import refuse_unseen, write_run
from train.readers import ReadingRules
from train.readers.by_file import LaterFile
from train.readers.columns import Found, checked_columns
from train.readers.rules import IdType
from train.readers.sieve import Sieve


@dataclass(frozen=True, eq=False)
class Run:
    """A run that was written, and what all runs together have to know of it.

    user_ids, movie_ids: the types of its ids. times: whether its rows have times.
    items: how many ratings each item has, by raw id.
    values, numbers, rows: (D,) the different ratings, ascending, how often each occurs, and in which row of the file
    first. locate: names a row of the file.
    """

    path: Path
    ratings: int
    user_ids: IdType
    movie_ids: IdType
    times: bool
    items: pd.Series
    values: np.ndarray
    numbers: np.ndarray
    rows: np.ndarray
    locate: Callable[[int], str]
    bad_lines: int
    first_bad_line: str
    warnings: list[str]


@dataclass(frozen=True)
class RunWriter:
    """Makes the runs of files. scale: lowest and highest allowed rating. folder: where to write."""

    rules: ReadingRules
    scale: tuple[float, float] | None
    folder: Path

    def runs_of_file(self, numbered: tuple[int, LaterFile]) -> list[Run]:
        """The runs of a file, which has a number among all. A second writer of the same runs does no harm.

        Raises:
            DataError: the file cannot be read, or this machine does not see it or the folder.
            OSError: the disk is full.
        """
        number, file = numbered
        refuse_unseen([self.folder, *([] if file.source.store else [file.source.path])])
        found = enumerate(file.read(self.rules))
        return [self.write(one, f"{number}-{group}", Reading(words=self.rules.words)) for group, one in found]

    def write(self, found: Found, name: str, reading: Reading) -> Run:
        """Checks rows and writes them. Raises DataError, which names the file and the line."""
        known = len(reading.warnings)
        table, sieve = checked_columns(found, self.rules, self.scale, reading, look_for_copies=False)
        kept = np.flatnonzero(sieve.kept)
        table = table.take(kept)
        path = self.folder / f"{name}.arrow"
        write_run(path, table)
        return _told(path, table, kept, found, sieve, reading.warnings[known:])


def _told(path: Path, table: pa.Table, kept: np.ndarray, found: Found, sieve: Sieve, warnings: list[str]) -> Run:
    values, first, numbers = np.unique(table[RATING].to_numpy(), return_index=True, return_counts=True)
    return Run(
        path=path,
        ratings=len(table),
        user_ids=_type_of(table[USER_ID]),
        movie_ids=_type_of(table[MOVIE_ID]),
        times=TIME in table.column_names,
        items=table[MOVIE_ID].to_pandas().value_counts(sort=False),
        values=values,
        numbers=numbers,
        rows=kept[first],
        locate=found.table.locate,
        bad_lines=sieve.bad_lines,
        first_bad_line=sieve.first_bad_line,
        warnings=warnings,
    )


def _type_of(column: pa.ChunkedArray) -> IdType:
    return "integer" if pa.types.is_integer(column.type) else "string"
