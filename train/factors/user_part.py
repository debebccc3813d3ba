"""The ratings of some users, one part of all: by user, and by movie among the movies that occur.

Shapes: n users of the part, R ratings, m movies that occur in the part, M movies in all.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from train.factors.posterior import SideRows


@dataclass(frozen=True)
class UserPart:
    """Part `number`, 12 bytes a rating. Indices are int32.

    by_user: of n users; `other` are rows of movies. by_movie: of the m movies `touched` (m,); `other` are users of the
    part, and `order` are places in by_user. copies: (n,) float32, how many users each one stands for.
    """

    number: int
    by_user: SideRows
    by_movie: SideRows
    touched: Tensor
    copies: Tensor

    @property
    def num_ratings(self) -> int:
        """R."""
        return len(self.by_user.other)

    @property
    def owner(self) -> Tensor:
        """The user of each rating (R,) int64."""
        count = self.by_user.count.long()
        return torch.repeat_interleave(torch.arange(len(count), device=count.device), count)


def user_part(number: int, owner: Tensor, movie: Tensor, num_users: int, copies: Tensor | None = None) -> UserPart:
    """The part of ratings (R,) of users `owner`, ascending; every user has a place, with ratings or without.

    copies: (num_users,), by default 1 each.
    """
    count = torch.bincount(owner, minlength=num_users)
    order = torch.argsort(movie, stable=True)
    touched, each = torch.unique_consecutive(movie[order], return_counts=True)
    none = torch.empty(0, dtype=torch.int32, device=owner.device)  # already in order
    by_user = SideRows((count.cumsum(0) - count).int(), movie.int(), none, count.float())
    by_movie = SideRows((each.cumsum(0) - each).int(), owner[order].int(), order.int(), each.float())
    copies = torch.ones_like(by_user.count) if copies is None else copies.float()
    return UserPart(number, by_user, by_movie, touched.long(), copies)
