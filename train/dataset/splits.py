"""Chooses the rows to hold out, by time or by user. Each function returns (rows,) bool, true for a held-out row.

Rows with equal times keep the order of the file. The random split of the rows is `split_ratings` in data.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from train.dataset.data import index_ids

Mask = npt.NDArray[np.bool_]


def last_rows(time: npt.NDArray[np.float64], test_size: float) -> Mask:
    """The last share of all rows by time (rows,), rounded up."""
    held_out = np.zeros(len(time), dtype=np.bool_)
    number = int(np.ceil(test_size * len(time)))
    held_out[np.argsort(time, kind="stable")[len(time) - number :]] = True
    return held_out


def last_rows_of_users(users: pd.Series, time: npt.NDArray[np.float64], test_size: float) -> Mask:
    """The last share of each user's rows by time, rounded to whole rows; at least one row of a user stays."""
    _, user = index_ids(users)
    count = np.bincount(user)
    wanted = np.floor(test_size * count + 0.5).astype(np.int64)
    held_out: Mask = rank_from_last(user, time) < np.minimum(wanted, count - 1)[user]
    return held_out


def last_row_of_users(users: pd.Series, time: npt.NDArray[np.float64]) -> Mask:
    """The last row by time of each user who has two or more."""
    _, user = index_ids(users)
    held_out: Mask = (rank_from_last(user, time) == 0) & (np.bincount(user)[user] > 1)
    return held_out


def rows_of_new_users(users: pd.Series, test_size: float, given: int, seed: int) -> Mask:
    """All rows except `given` of a random share of the users; only users with more than `given` rows are drawn.

    The rows that stay in training are drawn at random too.
    """
    _, user = index_ids(users)
    count = np.bincount(user)
    random = np.random.default_rng(seed)
    candidates = np.flatnonzero(count > given)
    number = int(np.ceil(test_size * len(candidates)))
    is_new = np.zeros(len(count), dtype=np.bool_)
    is_new[random.choice(candidates, number, replace=False)] = True
    drawn = random.random(len(user))
    held_out: Mask = is_new[user] & (rank_from_last(user, drawn) >= given)
    return held_out


def rank_from_last(user: npt.NDArray[np.int64], key: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """(rows,): how many rows of the same user come later, by key and then by position; 0 for the last row."""
    order = np.lexsort((key, user))
    ends = np.cumsum(np.bincount(user))
    rank = np.empty(len(user), dtype=np.int64)
    rank[order] = ends[user[order]] - 1 - np.arange(len(user))
    return rank
