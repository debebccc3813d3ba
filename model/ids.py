"""Raw ids and rows. Users and movies each have one strictly ascending array of ids; an id's position is its row.

The sorted array is its own index. So 10 million ids load as fast as their bytes can be read, and two raw ids can never
share a row. Integer ids with a narrow range also get a direct table. For other integer ids, a table says where each
stretch of the range begins, so that a search covers few ids. String ids are fixed-width UTF-8 bytes, which sort like
the strings; a binary search finds them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

# A direct table is worth its memory (4 bytes per id in the range) up to this many table entries per id.
_TABLE_ENTRIES_PER_ID = 8
# Each process makes its own table, while all processes may share the mapped ids. So a table may have 64 MiB at most.
_MOST_TABLE_ENTRIES = 1 << 24
_INT64 = np.iinfo(np.int64)


class IdMap:
    """Maps raw ids to rows 0..n-1; every other id maps to row n, the unknown row.

    Args:
        ids: (n,) int64, or (n,) bytes ('S') holding UTF-8; strictly ascending.

    Raises:
        ValueError: `ids` has another type or shape, is empty, or is not strictly ascending.
    """

    def __init__(self, ids: np.ndarray) -> None:
        if ids.ndim != 1 or len(ids) == 0 or not (ids.dtype == np.int64 or ids.dtype.kind == "S"):
            raise ValueError(f"ids: expected a non-empty int64 or bytes array, got {ids.dtype}{ids.shape}")
        if not bool((ids[1:] > ids[:-1]).all()):
            raise ValueError("ids: must be strictly ascending, so that each has one row")
        self.ids = ids
        self._table = self._starts = None
        if self.integer:
            self._before, self._after = int(ids[0]) - 1, int(ids[-1]) + 1
            self._table = _direct_table(ids)
            if self._table is None:
                self._starts, self._shift, self._steps = _stretches(ids)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def integer(self) -> bool:
        """True where raw ids are integers, False where they are strings."""
        return bool(self.ids.dtype == np.int64)

    @property
    def unknown(self) -> int:
        """The row for every id that is not in the map: one after the last row."""
        return len(self.ids)

    @property
    def python_type(self) -> type:
        """The exact type of a raw id; `True` and `1.0` do not count as integers."""
        return int if self.integer else str

    def rows(self, raw_ids: Sequence[Any] | np.ndarray) -> np.ndarray:
        """Rows (B,) of raw ids, int32 or int64; an id that is not in the map gets the row `unknown`.

        `raw_ids`: for integer ids, ints of any size or an int64 array; for string ids, strings.
        """
        if not self.integer:
            return self._string_rows(raw_ids)
        try:
            wanted = np.asarray(raw_ids, dtype=np.int64)
        except OverflowError:  # an id with more than 64 bits is unknown, but the other ids may be known
            fits = np.array([_INT64.min <= i <= _INT64.max for i in raw_ids])
            rows = np.full(len(raw_ids), self.unknown, dtype=np.int64)
            rows[fits] = self.rows([i for i, ok in zip(raw_ids, fits, strict=True) if ok])
            return rows
        if self._table is not None:
            return self._table_rows(wanted)
        return self._stretch_rows(wanted)

    def row(self, raw_id: Any) -> int:
        """The row of one raw id; see `rows`. For one id, this is several times faster."""
        if not self.integer:
            return int(self._string_rows([raw_id])[0])
        if self._table is not None:
            return int(self._table[min(max(raw_id, self._before), self._after) - self._before])
        if not self._before < raw_id < self._after:
            return self.unknown
        place = int(self.ids.searchsorted(raw_id))
        return place if self.ids[place] == raw_id else self.unknown

    def raw(self, rows: np.ndarray) -> list[Any]:
        """Raw ids of known rows, as Python ints or strings."""
        found = self.ids[rows].tolist()
        return found if self.integer else [i.decode() for i in found]

    def rows_with_prefix(self, prefix: str, most: int) -> np.ndarray:
        """The rows of at most `most` raw ids that, written as text, begin with `prefix`; the lowest rows."""
        if not self.integer:
            encoded = prefix.encode("utf-8", "surrogatepass")[: self.ids.dtype.itemsize]
            start = int(np.searchsorted(self.ids, np.array(encoded, dtype=self.ids.dtype)))
            near = self.raw(np.arange(start, min(start + most, len(self))))
            return start + np.flatnonzero([name.startswith(prefix) for name in near])
        if prefix == "":
            return np.arange(min(most, len(self)))
        if not (prefix.isascii() and prefix.isdigit() and len(prefix) < 20) or (prefix[0] == "0" and prefix != "0"):
            return np.empty(0, dtype=np.int64)
        found = [np.empty(0, dtype=np.int64)]
        low, high = int(prefix), int(prefix)
        while 0 <= low <= _INT64.max:  # 42, then 420 to 429, then 4200 to 4299
            start = int(np.searchsorted(self.ids, low))
            end = int(np.searchsorted(self.ids, min(high, _INT64.max), side="right"))
            found.append(np.arange(start, min(end, start + most)))
            low, high = low * 10 or -1, high * 10 + 9
        return np.concatenate(found)[:most]

    def _table_rows(self, wanted: np.ndarray) -> np.ndarray:
        assert self._table is not None
        rows: np.ndarray = self._table.take(np.minimum(np.maximum(wanted, self._before), self._after) - self._before)
        return rows

    def _stretch_rows(self, wanted: np.ndarray) -> np.ndarray:
        """Binary search in each id's stretch. All ids take each step together, so that memory accesses overlap."""
        assert self._starts is not None
        inside = (wanted >= self.ids[0]) & (wanted <= self.ids[-1])
        wanted = np.where(inside, wanted, self.ids[0])
        stretch = (wanted.view(np.uint64) - self.ids[:1].view(np.uint64)) >> self._shift
        stretch = stretch.view(np.int64)
        low, high = (self._starts.take(stretch + side).astype(np.int64) for side in (0, 1))
        for _ in range(self._steps):
            middle = (low + high) >> 1
            smaller = self.ids.take(middle, mode="clip") < wanted
            low = np.where(smaller, middle + 1, low)
            high = np.where(smaller, high, middle)
        found = inside & (self.ids.take(low, mode="clip") == wanted)
        rows: np.ndarray = np.where(found, low, self.unknown)
        return rows

    def _search(self, wanted: np.ndarray) -> np.ndarray:
        place = np.searchsorted(self.ids, wanted)
        found = self.ids[np.minimum(place, len(self.ids) - 1)] == wanted
        rows: np.ndarray = np.where(found, place, self.unknown)
        return rows

    def _string_rows(self, raw_ids: Sequence[str] | np.ndarray) -> np.ndarray:
        # numpy drops trailing NULs and cuts strings to the width. Neither may make an unknown id match a known one.
        width = self.ids.dtype.itemsize
        encoded = [i.encode("utf-8", "surrogatepass") for i in raw_ids]
        possible = np.array([0 < len(e) <= width and b"\0" not in e for e in encoded], dtype=bool)
        rows = self._search(np.array(encoded, dtype=self.ids.dtype).reshape(len(encoded)))
        rows[~possible] = self.unknown
        return rows


def _direct_table(ids: np.ndarray) -> np.ndarray | None:
    """A table from `id - first + 1` to row if the range of the ids is narrow, else None.

    Its first and last entries hold the unknown row, for ids outside the range.
    """
    first, last = int(ids[0]), int(ids[-1])
    most = min(_TABLE_ENTRIES_PER_ID * len(ids), _MOST_TABLE_ENTRIES)
    if last - first >= most or first == _INT64.min or last == _INT64.max:
        return None
    table = np.full(last - first + 3, len(ids), dtype=np.int32)
    table[ids - first + 1] = np.arange(len(ids), dtype=np.int32)
    return table


def _stretches(ids: np.ndarray) -> tuple[np.ndarray, np.uint64, int]:
    """Divides the range into equal stretches of 2^shift ids, with about two known ids each.

    Returns the row at which each stretch begins (int64), the shift, and the number of steps of a binary search in the
    fullest stretch. Differences are computed as uint64, which can hold all of them.
    """
    offsets = ids.view(np.uint64) - ids[:1].view(np.uint64)
    span = int(offsets[-1]) + 1
    shift = max(0, (2 * span // len(ids)).bit_length() - 1)
    counts = np.bincount((offsets >> np.uint64(shift)).astype(np.int64), minlength=1)
    starts = np.concatenate(([0], np.cumsum(counts), [len(ids)])).astype(np.int32)
    return starts, np.uint64(shift), int(counts.max()).bit_length()
