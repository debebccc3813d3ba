"""Choose the rows of a table to use: all rows, or all except those that may be skipped."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from model.vocabulary import counted
from train.dataset.reading import Reading
from train.errors import DataError
from train.readers.table import BadLine, Table

SHOWN = 3  # bad lines


class Sieve:
    """Tracks which rows are used: `kept` (rows,) bool; and the number of `bad_lines` that were left out.

    allowed: how many bad lines may be left out; more of them are an error.
    """

    def __init__(self, table: Table, allowed: int) -> None:
        self.kept = np.ones(table.num_rows, dtype=np.bool_)
        self._table, self._allowed = table, allowed
        self.bad_lines = len(table.bad_lines)
        self._first = list(table.bad_lines[:SHOWN])
        self._check()

    def refuse(self, wrong: pa.ChunkedArray, tell: Callable[[str, int], str]) -> None:
        """Leaves out the wrong rows as bad lines. wrong: (rows,) bool; null means not wrong.

        tell: makes the message for a row from its place in the file and its number.
        Raises DataError if there are too many bad lines.
        """
        faulty = _mask(wrong) & self.kept
        rows = np.flatnonzero(faulty)
        if not len(rows):
            return
        last = self._first[-1].row if len(self._first) == SHOWN else len(faulty)
        shown = [int(row) for row in rows[:SHOWN] if row < last] or [int(rows[0])]
        told = [BadLine(row, tell(self._table.locate(row), row)) for row in shown]
        self._first = sorted([*self._first, *told], key=lambda line: line.row)[:SHOWN]
        self.bad_lines += len(rows)
        self.kept &= ~faulty
        self._check(told[0].told)

    def leave_out(self, rows: npt.NDArray[np.bool_]) -> int:
        """Leaves out these rows, but not as bad lines. Returns how many of them were still in use."""
        left_out = int(np.count_nonzero(rows & self.kept))
        self.kept &= ~rows
        return left_out

    @property
    def first_bad_lines(self) -> list[str]:
        """The places and the faults of the first few, in the order of the file."""
        return [line.told for line in self._first]

    def _check(self, latest: str | None = None) -> None:
        if self.bad_lines <= self._allowed:
            return
        told = latest or self._first[0].told
        if not self._allowed:
            raise DataError(told)
        so_far = " so far" if self._table.part else ""
        number = f"{counted(self.bad_lines, 'bad line')}{so_far}, --skip-bad-lines allows {self._allowed}"
        raise DataError(f"{told}; {number}")


def tell_bad_lines(number: int, first: Sequence[str], reading: Reading) -> None:
    """Reports how many lines were left out, and the first few of them."""
    if number:
        reading.warn(f"{counted(number, 'bad line')} left out: {'; '.join(first[:SHOWN])}")


def _mask(wrong: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = pc.fill_null(wrong, False).to_numpy()
    return found.astype(np.bool_)
