"""One part's ratings as a fit needs them: by user, and by item among the items that occur.

Shapes: n users of the part, R ratings, m items that occur in the part, M items in all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from train.factors.posterior import SideRows
from train.prepared.folder import Rows


@dataclass(frozen=True)
class FitRows:
    """The ratings of a part that a fit sees, 12 bytes each and 8 more for its targets. Indices are int32.

    by_user: of n users; `other` are rows of items. by_item: of the m items `touched`; `other` are users of the part.
    rating: (R,) float32 in the order of by_user.
    """

    number: int
    by_user: SideRows
    by_item: SideRows
    touched: Tensor
    rating: Tensor

    @property
    def owner(self) -> Tensor:
        """The user of each rating (R,) int64."""
        count = self.by_user.count.long()
        return torch.repeat_interleave(torch.arange(len(count)), count)


def fit_rows(number: int, rows: Rows, kept: np.ndarray) -> FitRows:
    """The rows (R,) of part `number` that are `kept`; every user has a place, with ratings or without."""
    owner, item = rows.owner[kept], rows.item[kept]
    order = np.argsort(item, kind="stable").astype(np.int32)
    ordered = item[order]
    begins = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])[: len(ordered)]))
    counts = np.diff(np.append(begins, len(ordered)))
    by_user = np.bincount(owner, minlength=len(rows.users))
    none = torch.empty(0, dtype=torch.int32)
    return FitRows(
        number,
        SideRows(_int32(np.cumsum(by_user) - by_user), _int32(item), none, torch.from_numpy(by_user).float()),
        SideRows(_int32(begins), _int32(owner[order]), _int32(order), torch.from_numpy(counts).float()),
        torch.from_numpy(ordered[begins].astype(np.int64)),
        torch.from_numpy(rows.rating[kept]),
    )


def _int32(array: np.ndarray) -> Tensor:
    return torch.from_numpy(array.astype(np.int32))
