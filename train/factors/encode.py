"""Users' rows from their ratings, many users at a time."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from model.factor_network import FactorNetwork
from train.cores import in_order
from train.dataset.tensors import Ratings
from train.factors.posterior import sort_by_side
from train.factors.systems import rows_at_once

# Most of each at a time, with up to 8 factors; a user with more ratings is a chunk alone.
_USERS, _RATINGS = 8_192, 262_144


def encode_users(network: FactorNetwork, ratings: Ratings, users: Tensor, num_users: int) -> Tensor:
    """Rows (n, W) of the user table for `users` (n,), ascending, of `num_users`, each from the user's ratings."""

    @torch.no_grad()
    def encode(chunk: tuple[Tensor, Ratings]) -> Tensor:
        rows, part = chunk
        return network.encode_users(part.user_index, part.movie_index, part.rating, len(rows))

    found = in_order(encode, chunks_of_users(ratings, users, num_users, network.size))
    return torch.cat([network.user_embedding.weight[:0].detach(), *found])


def encode_unknown_user(network: FactorNetwork) -> None:
    """Fills the last row: the user who rated nothing."""
    with torch.no_grad():
        table = network.user_embedding.weight
        nothing = table[:0, 0]
        table[-1] = network.encode_user(nothing.long(), nothing)


def chunks_of_users(ratings: Ratings, users: Tensor, num_users: int, size: int) -> Iterator[tuple[Tensor, Ratings]]:
    """Splits `users` (N,), ascending, into chunks of rows with their ratings, whose user_index counts in the chunk.

    size: 1 + factors of what is computed of each rating.
    """
    place = torch.full((num_users + 1,), -1, device=users.device)
    place[users] = torch.arange(len(users), device=users.device)
    if len(users) < num_users:
        ratings = ratings.take(place[ratings.user_index] >= 0)
    own = place[ratings.user_index]
    rows = sort_by_side(own, ratings.movie_index, len(users))
    owner, rating = own[rows.order], ratings.rating[rows.order]
    ends = [*rows.start.tolist(), len(rating)]
    for some in cut_users(rows.start, size):
        part = slice(ends[some.start], ends[some.stop])
        yield users[some], Ratings(owner[part] - some.start, rows.other[part], rating[part])


def cut_users(start: Tensor, size: int) -> Iterator[slice]:
    """Cuts N users, whose ratings begin at `start` (N,), into such chunks."""
    most_ratings = rows_at_once(_RATINGS, size)
    first = 0
    while first < len(start):
        fit = int(torch.searchsorted(start, start[first] + most_ratings, right=True)) - 1
        last = min(first + _USERS, max(fit, first + 1), len(start))
        yield slice(first, last)
        first = last
