"""Wraps a checked network for serving, and adds scores for unknown users and movies.

If the network has a row for unknown users, that row is used. Otherwise an unknown user counts as the average user: the
mean score over evenly spaced users, or, for a network with towers, the mean of all users' vectors. The same holds for
movies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from model.adopted_network import AdoptedNetwork, AdoptedTowers, ToUnit
from train.adopt.checks import score
from train.adopt.id_files import NetworkIds
from train.errors import DataError

# The average user (movie) is computed from at most this many users (movies), and from about this many pairs.
_MOST_AVERAGED = 256
_PAIRS = 20_000_000
_BATCH = 4_096


def wrap_network(
    network: nn.Module,
    to_unit: ToUnit,
    users: NetworkIds,
    movies: NetworkIds,
    unknown: tuple[int | None, int | None],
    vectors: Tensor,
) -> AdoptedNetwork:
    """A network that gives a score of two rows; `unknown` are its own rows of an unknown user and movie.

    vectors: those by which movies are compared, as `declared_vectors` gives them.
    """
    user_rows, movie_rows = (torch.from_numpy(one.rows) for one in (users, movies))
    sampled_users = _sample(user_rows, unknown[0], len(movie_rows))
    sampled_movies = _sample(movie_rows, unknown[1], len(user_rows))

    def mean_unit(one_side: Tensor, other: Tensor, swap: bool) -> Tensor:
        """(N,) the mean unit score of each row in `one_side` (N,) over the rows in `other`."""
        total = torch.zeros(len(one_side))
        for row in other:
            parts = [(part, row.expand(len(part))) for part in one_side.split(_BATCH)]
            found = [score(network, *(pair[::-1] if swap else pair), name="network") for pair in parts]
            total += to_unit(torch.cat(found))
        return total / len(other)

    with torch.inference_mode():
        of_movies = mean_unit(movie_rows, sampled_users, swap=True)
        of_users = mean_unit(user_rows, sampled_movies, swap=False)
        of_both = mean_unit(sampled_users, sampled_movies, swap=False).mean().reshape(1)
    tables = torch.cat([of_movies, of_both]).clone(), torch.cat([of_users, of_both]).clone()
    return AdoptedNetwork(network, to_unit, user_rows, movie_rows, *tables, vectors).eval()


def wrap_towers(
    network: Any,
    to_unit: ToUnit,
    users: NetworkIds,
    movies: NetworkIds,
    unknown: tuple[int | None, int | None],
    vectors: Tensor,
    name: str,
) -> AdoptedTowers:
    """A network with two towers and a head; see `wrap_network`.

    Raises:
        DataError: the towers and the head do not fit together, or give other scores than `forward`.
    """
    user_rows, movie_rows = (torch.from_numpy(one.rows) for one in (users, movies))
    try:
        with torch.inference_mode():
            strangers = [
                _unknown_vector(tower, rows, row)
                for tower, rows, row in (
                    (network.user_tower, user_rows, unknown[0]),
                    (network.movie_tower, movie_rows, unknown[1]),
                )
            ]
            user, movie = (vector.clone() for vector in strangers)
            wrapped = AdoptedTowers(network, to_unit, user_rows, movie_rows, user, movie, vectors)
            _check_towers(wrapped.eval(), name)
    except (RuntimeError, IndexError) as error:
        told = str(error).splitlines()[-1]
        raise DataError(f"{name}: the head does not accept the output of the towers: {told}") from None
    return wrapped


def _sample(rows: Tensor, unknown: int | None, others: int) -> Tensor:
    """The rows that represent the unknown id: its own row, or evenly spaced rows."""
    if unknown is not None:
        return torch.tensor([unknown])
    most = max(16, min(_MOST_AVERAGED, _PAIRS // others))
    return rows[:: -(-len(rows) // most)]


def _unknown_vector(tower: Callable[[Tensor], Tensor], rows: Tensor, unknown: int | None) -> Tensor:
    """(W,) the tower's output for the unknown row, or its mean over all rows."""
    if unknown is not None:
        return tower(torch.tensor([unknown]))[0]
    total = sum(tower(part).sum(0, dtype=torch.float64) for part in rows.split(_BATCH))
    mean: Tensor = (torch.as_tensor(total) / len(rows)).float()
    return mean


def _check_towers(wrapped: AdoptedTowers, name: str) -> None:
    """Checks that the head of the two towers gives the same scores as `forward`."""
    number = min(wrapped.num_users, wrapped.num_movies, 64)
    rows = torch.arange(number)
    found = wrapped(rows, rows)
    expected = wrapped.to_unit(score(wrapped.network, wrapped.user_rows[:number], wrapped.movie_rows[:number], name))
    apart = float((found - expected).abs().max())
    if not apart <= 1e-4:
        raise DataError(f"{name}: head(user_tower, movie_tower) and forward differ by {apart:.3g} of the scale")
