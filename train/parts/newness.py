"""How new each movie is, by parts: what `popularity_by_time` of train/factors/drift.py takes from sorted ratings.

Shapes: M movies, R ratings of a part.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from train.dataset.splits import Mask
from train.parts.group import Group
from train.parts.largest import added_up
from train.prepared.rows import Rows


class Seen(NamedTuple):
    """What `seen_since` finds among the ratings that are not held out, and among all. Every process has the same."""

    trained: Tensor
    everything: Tensor

    @classmethod
    def of(cls, parts: Sequence[Rows], held_out: Sequence[Mask], num_movies: int, group: Group) -> Seen:
        """Of this process's parts, which have times."""
        timed = [(part.item, part.time) for part in parts if part.time is not None]
        whole = [(item, time, slice(None)) for item, time in timed]
        kept = [(item, time, ~mask) for (item, time), mask in zip(timed, held_out, strict=True)]
        return cls(seen_since(kept, num_movies, group), seen_since(whole, num_movies, group))


def seen_since(parts: Sequence[tuple[np.ndarray, np.ndarray, Mask | slice]], num_movies: int, group: Group) -> Tensor:
    """The share (M,) of all ratings that came after a movie's first one, 0 to 1; 0 for a movie without ratings.

    parts: of this process, each part's movies (R,) and times (R,), and which of them count.
    """
    own = np.full(num_movies, np.inf)
    for item, time, kept in parts:
        np.minimum.at(own, item[kept], time[kept])
    first: np.ndarray = group.gather(torch.from_numpy(own).unsqueeze(0)).amin(0).numpy()
    rated = np.isfinite(first)
    starts = np.unique(first[rated])
    count = np.zeros(len(starts) + 1, dtype=np.int64)  # of ratings, by how many starts they are not before
    for _, time, kept in parts:
        count += np.bincount(np.searchsorted(starts, time[kept], side="right"), minlength=len(count))
    before = np.cumsum(added_up(count, group))
    seen = np.zeros(num_movies, dtype=np.float32)
    seen[rated] = 1 - before[np.searchsorted(starts, first[rated])] / max(int(before[-1]) - 1, 1)
    return torch.from_numpy(seen)
