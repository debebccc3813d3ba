"""Rows that are in a file more than once: the same user, movie, rating and, where the file has one, time.

A file that was joined from overlapping exports has many, and a split would put copies of a row on both of its sides:
the errors on the held-out rows would be those of rows that were trained on. A few are kept: published data sets have
some, and the reference's split of them is to stay what it is.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from train.dataset.reading import Reading
from train.readers.rules import ReadingRules
from train.readers.sieve import Sieve
from train.readers.table import Table

MANY = 0.01  # of the rows


def drop_copies(
    table: Table, columns: list[pa.ChunkedArray], timed: bool, rules: ReadingRules, sieve: Sieve, reading: Reading
) -> None:
    """Leaves out every row whose values in `columns` an earlier row has, where there are many; says so either way.

    columns: users, movies, ratings, and times if `timed`.
    """
    if rules.copies == "keep":
        return
    rows = np.flatnonzero(sieve.kept)
    copies = rows[_is_copy([column.filter(pa.array(sieve.kept)) for column in columns])]
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


def _is_copy(columns: list[pa.ChunkedArray]) -> npt.NDArray[np.bool_]:
    """(rows,) bool: an earlier row has the same values. The columns become one number each, then one for all."""
    joint = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        codes = _codes(column)
        joint = _codes(pa.chunked_array([pa.array(joint * (int(codes.max(initial=0)) + 1) + codes)]))
    is_copy = np.ones(len(joint), dtype=np.bool_)
    is_copy[np.unique(joint, return_index=True)[1]] = False
    return is_copy


def _codes(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    encoded = pc.dictionary_encode(column, null_encoding="encode").combine_chunks()
    codes: npt.NDArray[np.int64] = encoded.indices.to_numpy().astype(np.int64)
    return codes
