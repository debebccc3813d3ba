"""Rows that appear more than once in a file: the same user, movie, rating and, if the file has one, time.

A split could put copies of one row on both sides. The held-out rows would then include training rows, and the errors
would be too small. So copies are left out. KMRD was published with a few copies. They are kept, so that its split is
the same as the reference's.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from train.dataset.reading import Reading
from train.readers.rules import ReadingRules
from train.readers.sieve import Sieve
from train.readers.table import Table

FEW = 0.01  # of the rows, at most
_PAIR = ["0", "1"]
_UNTIMED = 3  # columns


def drop_copies(
    table: Table, columns: list[pa.ChunkedArray], rules: ReadingRules, published: bool, sieve: Sieve, reading: Reading
) -> None:
    """Leaves out every row that equals an earlier row in all `columns`, and reports it.

    columns: users, movies, ratings, and times if the file has them.
    published: the data set was published with a few copies; they are kept.
    """
    timed = len(columns) > _UNTIMED
    rows = np.flatnonzero(sieve.kept)
    copies = _copies(columns, rows)
    if not len(copies):
        return
    same = f"user, movie{',' if timed else ' and'} rating{' and time' if timed else ''}"
    told = f"{table.locate(int(copies[0]))}: the same {same} as in an earlier row; rows like this: {len(copies):,}"
    if rules.copies == "keep":
        reading.warn(f"{told}, kept as requested; copies on both sides of a split make the reported errors too small")
    elif rules.copies == "auto" and published and len(copies) <= FEW * len(rows):
        reading.say(f"{told}, kept, because the data was published with them; --copies drop removes them")
    else:
        mask = np.zeros(len(sieve.kept), dtype=np.bool_)
        mask[copies] = True
        sieve.leave_out(mask)
        reading.warn(f"{told}, left out; --copies keep retains them")


def _copies(columns: list[pa.ChunkedArray], rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The rows that equal an earlier row. Few pairs repeat, so only rows with a repeated pair are compared whole."""
    table = pa.table(columns, names=[str(place) for place in range(len(columns))])
    pairs = table.select(_PAIR) if len(rows) == table.num_rows else table.select(_PAIR).take(rows)
    rows = rows[pairs.to_pandas().duplicated(keep=False).to_numpy()]
    copies: npt.NDArray[np.int64] = rows[table.take(rows).to_pandas().duplicated().to_numpy()]
    return copies
