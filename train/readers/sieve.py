"""Choose the rows of a table to use: all rows, or all except those that may be skipped."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from model.vocabulary import counted
from train.dataset.reading import Reading
from train.errors import DataError
from train.readers.table import Table

_SHOWN = 3  # bad lines


class Sieve:
    """Tracks which rows are used: `kept` (rows,) bool.

    allowed: how many bad lines may be left out; more of them are an error.
    """

    def __init__(self, table: Table, allowed: int) -> None:
        self.kept = np.ones(table.num_rows, dtype=np.bool_)
        self._table, self._allowed = table, allowed
        self._bad = list(table.bad_lines)
        self._check()

    def refuse(self, wrong: pa.ChunkedArray, tell: Callable[[str, int], str]) -> None:
        """Leaves out the wrong rows as bad lines. wrong: (rows,) bool; null means not wrong.

        tell: makes the message for a row from its place in the file and its number.
        Raises DataError if there are too many bad lines.
        """
        faulty = _mask(wrong) & self.kept
        rows = np.flatnonzero(faulty)
        shown = rows[: max(0, _SHOWN - len(self._bad)) or 1]
        told = [tell(self._table.locate(int(row)), int(row)) for row in shown]
        self._bad += told + [""] * (len(rows) - len(told))
        self.kept &= ~faulty
        self._check(told[0] if told else None)

    def leave_out(self, rows: npt.NDArray[np.bool_]) -> int:
        """Leaves out these rows, but not as bad lines. Returns how many of them were still in use."""
        left_out = int(np.count_nonzero(rows & self.kept))
        self.kept &= ~rows
        return left_out

    def tell(self, reading: Reading) -> None:
        """Reports which lines were left out."""
        if self._bad:
            shown = [line for line in self._bad[:_SHOWN] if line]
            reading.warn(f"{counted(len(self._bad), 'bad line')} left out: {'; '.join(shown)}")

    @property
    def bad_lines(self) -> int:
        """How many bad lines were left out."""
        return len(self._bad)

    @property
    def first_bad_line(self) -> str:
        """The place and the fault of the first one; empty if there is none."""
        return self._bad[0] if self._bad else ""

    def _check(self, latest: str | None = None) -> None:
        if len(self._bad) <= self._allowed:
            return
        told = latest or self._bad[0]
        if not self._allowed:
            raise DataError(told)
        number = f"{counted(len(self._bad), 'bad line')}, --skip-bad-lines allows {self._allowed}"
        raise DataError(f"{told}; {number}")


def _mask(wrong: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = pc.fill_null(wrong, False).to_numpy()
    return found.astype(np.bool_)
