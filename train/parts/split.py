"""Which ratings are held out, by parts: the splits of train/dataset/splits.py, with hashes in place of chance.

Rows have no order of a file here: of rows with equal times, those with the highest hashes count as the last. So the
split depends on the ratings and `--split-seed` alone, whatever the files, their order or the number of processes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from train.config import TrainConfig
from train.dataset.hashes import Hashes, below, id_hashes, row_hashes, seed_hash, splitmix64
from train.dataset.splits import Mask, last_row_of_users, last_rows_of_users, rank_from_last
from train.errors import DataError
from train.parts.group import Group
from train.parts.largest import added_up, ascending_keys, nth_largest
from train.prepared.rows import Rows

_SALT = 0x2E3D  # the new users of `--split users` are drawn apart from the sampled ones


class Hashed(NamedTuple):
    """The ratings of a part and their hashes. user_hash: (n,). row_hash: (R,), of `--split-seed`."""

    rows: Rows
    user_hash: Hashes
    row_hash: Hashes

    @classmethod
    def of(cls, rows: Rows, movie_hash: Hashes, seed: int) -> Hashed:
        """movie_hash: (M,) of all movies."""
        user_hash = id_hashes(rows.users)
        columns = user_hash[rows.owner], movie_hash[rows.item], rows.rating, _occurrences(rows)
        return cls(rows, user_hash, row_hashes(seed, *columns))


def held_out_rows(parts: Sequence[Hashed], config: TrainConfig, group: Group) -> tuple[list[Mask], int]:
    """By part of this process the mask (R,) of the ratings that `--split` holds out, and how many all parts hold out.

    Raises:
        DataError: one side of the split is empty. Every process finds that.
    """
    if not config.test_size or config.test_file is not None:
        return [np.zeros(len(part.row_hash), dtype=np.bool_) for part in parts], 0
    by_all = config.split == "time"
    found = _last_rows(parts, config.test_size, group) if by_all else [_of_part(part, config) for part in parts]
    held_out, rows = _total(found, group), _total([~mask for mask in found], group)
    if not held_out or not rows:
        told = f"split: {config.split} holds out {held_out:,} of {held_out + rows:,} ratings"
        raise DataError(f"{told}; allowed is at least one on each side; --test-size 0 trains on all, measures nothing")
    return found, held_out


def described_split(config: TrainConfig) -> dict[str, Any]:
    """The split, as metrics.json tells it."""
    given = {"given": config.given} if config.split == "users" else {}
    drawn = {"kind": config.split, "by": "hash", "seed": config.split_seed, "test_size": config.test_size}
    return {**drawn, **given, "served": "all" if config.refit else "train"}


def _last_rows(parts: Sequence[Hashed], test_size: float, group: Group) -> list[Mask]:
    """The last share of all parts' rows by time, and by hash of rows with equal times; rounded up."""
    keys = [(ascending_keys(_time(part)), part.row_hash) for part in parts]
    rows = int(added_up(np.array([sum(len(time) for time, _ in keys)]), group)[0])
    last, left = nth_largest([time for time, _ in keys], int(np.ceil(test_size * rows)), group)
    lowest, _ = nth_largest([row_hash[time == last] for time, row_hash in keys], left, group)
    return [(time > last) | ((time == last) & (row_hash >= lowest)) for time, row_hash in keys]


def _of_part(part: Hashed, config: TrainConfig) -> Mask:
    """The splits that each rating or each user decides alone."""
    if config.split == "random":
        return below(part.row_hash, config.test_size)
    owner = part.rows.owner.astype(np.int64)
    if config.split == "users":
        drawn = below(splitmix64(part.user_hash ^ seed_hash(config.split_seed + _SALT)), config.test_size)
        is_new = drawn & (np.diff(part.rows.start) > config.given)
        return np.asarray(is_new[owner] & (rank_from_last(owner, part.row_hash) >= config.given))
    order = np.argsort(part.row_hash, kind="stable")
    users, time = pd.Series(owner[order]), _time(part)[order]
    by_share = config.split == "time-per-user"
    held_out = np.empty(len(order), dtype=np.bool_)
    held_out[order] = last_rows_of_users(users, time, config.test_size) if by_share else last_row_of_users(users, time)
    return held_out


def _time(part: Hashed) -> np.ndarray:
    assert part.rows.time is not None  # which the job has asked for
    return part.rows.time


def _total(masks: Sequence[Mask], group: Group) -> int:
    return int(added_up(np.array([sum(int(mask.sum()) for mask in masks)]), group)[0])


def _occurrences(rows: Rows) -> npt.NDArray[np.int64]:
    """How many earlier rows (R,) have the same user, item and rating."""
    found = np.zeros(len(rows.rating), dtype=np.int64)
    pair = repeats(rows)
    # A pair may be rated 7, 8, 7 in the order of time, so equal ratings need not be neighbours.
    places = np.flatnonzero(np.concatenate((pair, [False])) | np.concatenate(([False], pair)))
    columns = [rows.rating[places], rows.item[places], rows.owner[places]]
    order = np.lexsort(columns)
    same = np.logical_and.reduce([one[order][1:] == one[order][:-1] for one in columns])
    place = np.arange(len(order))
    begin = np.maximum.accumulate(np.where(np.concatenate(([False], same))[: len(order)], 0, place))
    found[places[order]] = place - begin
    return found


def repeats(rows: Rows) -> Mask:
    """Which rows but the first (R - 1,) have the user and item of the row before."""
    owner = rows.owner
    return np.asarray((owner[1:] == owner[:-1]) & (rows.item[1:] == rows.item[:-1]))
