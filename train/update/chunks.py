"""What an update reads of a history, which may be larger than the memory: the ratings of a few users at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from model.history import History
from model.ordinal import OrdinalHead
from train.dataset.tensors import Ratings
from train.factors.encode import cut_users

Chunk = tuple[Tensor, Ratings]


def chunks_of_history(history: History, users: Tensor, size: int, known: Tensor | None = None) -> Iterator[Chunk]:
    """Chunks of `users` (N,), ascending, with their ratings, whose user_index counts in the chunk. A training has the
    same chunks (train/factors/encode.py).

    size: 1 + factors of what is computed of each rating. known: mask (M + 1,) of the movies whose ratings count.
    """
    rows = users.numpy()
    counts = history.offsets[rows + 1] - history.offsets[rows] if known is None else _counts(history, rows, known)
    total = torch.from_numpy(counts.astype(np.int64))
    for chunk in cut_users(total.cumsum(0) - total, size):
        owner, places = history.places_of(rows[chunk])
        movie = torch.from_numpy(history.movie_index[places]).long()
        told = Ratings(torch.from_numpy(owner), movie, torch.from_numpy(history.ratings[places]))
        yield users[chunk], told if known is None else told.take(known[movie])


def _counts(history: History, users: np.ndarray, known: Tensor) -> np.ndarray:
    """How many ratings of known movies each user has."""
    counts = np.zeros(len(users), dtype=np.int64)
    mask = known.numpy()
    for some in history.few_at_once(users):
        owner, places = history.places_of(users[some])
        counts[some] = np.bincount(owner[mask[history.movie_index[places]]], minlength=some.stop - some.start)
    return counts


def level_counts(head: OrdinalHead, history: History, movies: Tensor) -> Tensor:
    """How many ratings of each level the movies (N,), ascending, have: (N, L) int64."""
    counts = torch.zeros(len(movies) * head.num_levels, dtype=torch.int64)
    for _, places in all_ratings(history):
        places = places[np.isin(history.movie_index[places], movies)]
        movie = torch.from_numpy(history.movie_index[places]).long()
        level = head.level(torch.from_numpy(history.ratings[places]))
        counts += torch.bincount(torch.searchsorted(movies, movie) * head.num_levels + level, minlength=len(counts))
    return counts.view(len(movies), head.num_levels)


def who_rated(history: History, movies: Tensor) -> Tensor:
    """Rows, ascending, of the users who rated one of `movies`. This includes every user with a new rating."""
    rated = np.zeros(history.num_users, dtype=np.bool_)
    for users, places in all_ratings(history):
        rated[users[np.isin(history.movie_index[places], movies)]] = True
    return torch.from_numpy(np.flatnonzero(rated))


def all_ratings(history: History) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The users (R,) and the places (R,) of all ratings, some users at a time."""
    everybody = np.arange(history.num_users)
    for some in history.few_at_once(everybody):
        owner, places = history.places_of(everybody[some])
        yield owner + some.start, places
