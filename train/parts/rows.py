"""The ratings of a part that a fit sees: without the held-out ones, or all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from train.dataset.tensors import Ratings
from train.factors.sweep import SweepData
from train.factors.user_part import UserPart, user_part
from train.parts.load import Mask, Part
from train.parts.tree import Tree


@dataclass(frozen=True)
class FitRows(UserPart):
    """The ratings of a part that a fit sees. rating: (R,) float32 in the order of by_user."""

    rating: Tensor

    @property
    def ratings(self) -> Ratings:
        """The same, whose user_index counts in the part."""
        return Ratings(self.owner, self.by_user.other.long(), self.rating)


def fit_rows(part: Part, kept: Mask) -> FitRows:
    """The rows (R,) of a part that are `kept`; every user has a place, with ratings or without."""
    owner, item, rating = (torch.from_numpy(one[kept]) for one in (part.rows.owner, part.rows.item, part.rows.rating))
    own = user_part(part.number, owner, item, len(part.rows.users))
    return FitRows(**vars(own), rating=rating)


def sweep_data(tree: Tree, rows: list[FitRows], movie_count: Tensor, target: Callable[[Tensor], Tensor]) -> SweepData:
    """What a block's sweeps work on. target: of ratings (R,) the block's (R,). movie_count (M,): of all parts."""
    targets = {}
    for part in rows:
        by_user = target(part.rating)
        targets[part.number] = by_user, by_user[part.by_movie.order]
    return SweepData(tree, rows, movie_count, targets)
