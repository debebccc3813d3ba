"""The rows of a part, in their one order."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa


class Rows(NamedTuple):
    """The ratings of n users, sorted by user, item, time and rating, so that their first order does not matter.

    users: (n,) raw ids, ascending. start: (n + 1,) int64, where each user's ratings begin. item: (R,) int32 rows.
    rating: (R,) float32. time: (R,) float64, seconds since 1970, or None.
    """

    users: np.ndarray
    start: npt.NDArray[np.int64]
    item: npt.NDArray[np.int32]
    rating: npt.NDArray[np.float32]
    time: npt.NDArray[np.float64] | None

    @property
    def owner(self) -> npt.NDArray[np.int32]:
        """The user of each rating, as a place in `users`, (R,)."""
        return np.repeat(np.arange(len(self.users), dtype=np.int32), np.diff(self.start))


def sorted_rows(users: np.ndarray, item: np.ndarray, rating: np.ndarray, time: npt.NDArray[np.float64] | None) -> Rows:
    """Rows in their one order, of columns (R,); users are raw ids, items their ids or rows."""
    keys = (rating, item, users) if time is None else (rating, time, item, users)
    order = np.lexsort([_ranks(key) for key in keys])
    users, time = users[order], None if time is None else time[order]
    begins = np.flatnonzero(np.concatenate(([True], users[1:] != users[:-1]))[: len(users)])
    start = np.append(begins, len(users)).astype(np.int64)
    return Rows(users[begins], start, item[order], rating[order], time)


def _ranks(values: np.ndarray) -> np.ndarray:
    """Values (R,) that sort like these. If few are different, they have 16 bits, which numpy sorts much faster."""
    encoded = pa.array(values).dictionary_encode()
    different = encoded.dictionary.to_numpy(zero_copy_only=False).astype(values.dtype)
    if len(different) > 1 << 16:
        return values
    ranks = np.empty(len(different), dtype=np.uint16)
    ranks[np.argsort(different)] = np.arange(len(different))
    found: np.ndarray = ranks[encoded.indices.to_numpy()]
    return found
