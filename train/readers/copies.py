"""Rows that are in a file more than once: the same user, movie, rating and, where the file has one, time.

A file that was joined from overlapping exports has many, and a split would put copies of a row on both of its sides:
the errors on the held-out rows would be those of rows that were trained on. A few are kept: published data sets have
some, and the reference's split of them is to stay what it is.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from train.dataset.reading import Reading
from train.readers.rules import ReadingRules
from train.readers.sieve import Sieve
from train.readers.table import Table

MANY = 0.01  # of the rows
_PAIR = ["0", "1"]


def drop_copies(
    table: Table, columns: list[pa.ChunkedArray], timed: bool, rules: ReadingRules, sieve: Sieve, reading: Reading
) -> None:
    """Leaves out every row whose values in `columns` an earlier row has, where there are many; says so either way.

    columns: users, movies, ratings, and times if `timed`.
    """
    if rules.copies == "keep":
        return
    rows = np.flatnonzero(sieve.kept)
    copies = _copies(columns, rows)
    same = f"user, movie{',' if timed else ' and'} rating{' and time' if timed else ''}"
    if not len(copies):
        return
    told = f"{table.locate(int(copies[0]))}: the same {same} as in an earlier row; there are {len(copies):,} such rows"
    if rules.copies == "auto" and len(copies) < MANY * len(rows):
        reading.say(f"{told}, and they are kept: --copies drop leaves them out")
        return
    mask = np.zeros(len(sieve.kept), dtype=np.bool_)
    mask[copies] = True
    sieve.leave_out(mask)
    reading.warn(f"{told}, and they are left out: --copies keep keeps them, on both sides of the split")


def _copies(columns: list[pa.ChunkedArray], rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Which of the rows have the values of an earlier one. Few pairs repeat, so only these rows are compared whole."""
    table = pa.table(columns, names=[str(place) for place in range(len(columns))])
    pairs = table.select(_PAIR) if len(rows) == table.num_rows else table.select(_PAIR).take(rows)
    rows = rows[pairs.to_pandas().duplicated(keep=False).to_numpy()]
    copies: npt.NDArray[np.int64] = rows[table.take(rows).to_pandas().duplicated().to_numpy()]
    return copies
