"""The history with new ratings. It is copied a few users at a time, from mapped arrays into mapped arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from model.history import History
from train.dataset.tensors import Ratings
from train.scratch import scratch_array


def grow_history(
    old: History, num_old: np.ndarray, new: Ratings, user_rows: np.ndarray, movie_rows: np.ndarray, folder: Path | None
) -> History:
    """Of each user the old ratings, then the new ones in their order.

    num_old: (U,) old ratings of each user in the new history. user_rows, movie_rows: the new place of each old row.
    """
    owners = new.user_index.numpy()
    offsets = np.concatenate(([0], np.cumsum(num_old + np.bincount(owners, minlength=len(num_old)))))
    offsets = offsets.astype(np.int32 if offsets[-1] < 2**31 else np.int64)
    movie_index = scratch_array(folder, np.int32, (int(offsets[-1]),))
    ratings = scratch_array(folder, np.float32, (int(offsets[-1]),))
    users = np.arange(old.num_users)
    for some in old.few_at_once(users):
        owner, places = old.places_of(users[some])
        shift = offsets[user_rows[some]].astype(np.int64) - old.offsets[some]
        movie_index[places + shift[owner]] = movie_rows[old.movie_index[places]]
        ratings[places + shift[owner]] = old.ratings[places]
    order = np.argsort(owners, kind="stable")
    owner = owners[order]
    earlier = np.arange(len(owner)) - np.searchsorted(owner, owner)  # new ratings of the same user
    places = offsets[owner] + num_old[owner] + earlier
    movie_index[places] = new.movie_index.numpy()[order]
    ratings[places] = new.rating.numpy()[order]
    return History(offsets, movie_index, ratings)
