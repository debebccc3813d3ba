"""The parts that a process has, in memory, and what all processes know of all parts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from model.ids import IdMap
from train.config import TrainConfig
from train.parts.group import Group
from train.prepared.folder import PreparedFolder
from train.prepared.hashes import below, id_hashes, row_hashes, seed_hash, splitmix64
from train.prepared.rows import Rows

_MEASURED = 1_000_000  # most held-out ratings that are measured: enough for a standard error of .001
_SALT = 0x5A17  # the ordinal network's rows are drawn apart from the held-out ones

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Part:
    """One part. rows: without times.

    held_out, measured, drawn: masks (R,) of the ratings that are held out, measured, and seen by the ordinal network.
    sampled: mask (n,) of the users that the first process sees whole; times: of their ratings, or None.
    """

    number: int
    rows: Rows
    held_out: Mask
    measured: Mask
    drawn: Mask
    sampled: Mask
    times: npt.NDArray[np.float64] | None

    @property
    def of_sampled(self) -> Mask:
        """Which ratings (R,) are of a sampled user."""
        return self.sampled[self.rows.owner]


@dataclass(frozen=True)
class Facts:
    """What holds of all parts together.

    ratings: number of all. repeated_pairs: how many repeat the user and item of an earlier one.
    values, numbers, trained: (D,) the different ratings, ascending, how often each occurs, and how often among those
    that are not held out.
    digest: SHA-256 of all that the parts hold. user_ratings: how many ratings each user has, sorted by number.
    """

    parts: int
    ratings: int
    repeated_pairs: int
    values: Tensor
    numbers: Tensor
    trained: Tensor
    digest: str
    user_ratings: Tensor


def load_parts(folder: PreparedFolder, movie_ids: IdMap, config: TrainConfig, group: Group) -> list[Part]:
    """This process's parts. Raises DataError where one is damaged."""
    movie_hash = id_hashes(movie_ids.ids)
    found = []
    for number in group.parts(folder.manifest.parts):
        rows = folder.rows(number, movie_ids)
        found.append(_part(number, rows, movie_hash, folder.manifest.ratings, config))
    return found


def _part(number: int, rows: Rows, movie_hash: np.ndarray, ratings: int, config: TrainConfig) -> Part:
    user_hash, owner = id_hashes(rows.users), rows.owner
    drawn = row_hashes(config.split_seed, user_hash[owner], movie_hash[rows.item], rows.rating, _occurrences(rows))
    again = splitmix64(drawn ^ seed_hash(config.seed + _SALT))
    sampled = below(splitmix64(user_hash ^ seed_hash(config.seed)), config.interest.max_ratings / ratings)
    held_out = below(drawn, config.test_size) if config.test_size else np.zeros(len(drawn), dtype=np.bool_)
    measured = held_out & below(drawn, _MEASURED / ratings)
    times = None if rows.time is None else rows.time[sampled[owner]]
    chosen = below(again, config.factors.network_rows / ratings)
    return Part(number, rows._replace(time=None), held_out, measured, chosen, sampled, times)


def _occurrences(rows: Rows) -> npt.NDArray[np.int64]:
    """How many earlier rows (R,) have the same user, item and rating."""
    found = np.zeros(len(rows.rating), dtype=np.int64)
    pair = _repeats(rows)
    # A pair may be rated 7, 8, 7 in the order of time, so equal ratings need not be neighbours.
    places = np.flatnonzero(np.concatenate((pair, [False])) | np.concatenate(([False], pair)))
    columns = [rows.rating[places], rows.item[places], rows.owner[places]]
    order = np.lexsort(columns)
    same = np.logical_and.reduce([one[order][1:] == one[order][:-1] for one in columns])
    place = np.arange(len(order))
    begin = np.maximum.accumulate(np.where(np.concatenate(([False], same))[: len(order)], 0, place))
    found[places[order]] = place - begin
    return found


def _repeats(rows: Rows) -> Mask:
    """Which rows but the first (R - 1,) have the user and item of the row before."""
    owner = rows.owner
    return np.asarray((owner[1:] == owner[:-1]) & (rows.item[1:] == rows.item[:-1]))


def load_facts(parts: list[Part], number: int, group: Group) -> Facts:
    """The facts, which every process gets."""
    by_number = {part.number: part for part in parts}
    told = {one["part"]: one for one in group.each(number, lambda one: _told(by_number[one]))}
    facts = group.tell(_facts([told[one] for one in range(number)]) if group.first else None)
    return Facts(**facts)


def _told(part: Part) -> dict[str, object]:
    rows = part.rows
    digest = hashlib.sha256()
    for array in (rows.users, rows.start, rows.item, rows.rating):
        digest.update(np.ascontiguousarray(array).view(np.uint8).data)
    digest.update(b"" if part.times is None else part.times.view(np.uint8).data)
    values, place = np.unique(rows.rating, return_inverse=True)
    numbers = np.bincount(place, minlength=len(values))
    trained = np.bincount(place[~part.held_out], minlength=len(values))
    each = np.sort(np.diff(rows.start)).astype(np.int32)
    repeated = int(np.count_nonzero(_repeats(rows)))
    tensors = {"values": values, "numbers": numbers, "trained": trained, "users": each}
    return {
        "part": part.number,
        "digest": digest.hexdigest(),
        "repeated": repeated,
        **{k: torch.from_numpy(v) for k, v in tensors.items()},
    }


def _facts(told: list[dict[str, object]]) -> dict[str, object]:
    values, place = torch.unique(torch.cat([one["values"] for one in told]), return_inverse=True)  # type: ignore[misc]
    none = torch.zeros(len(values), dtype=torch.int64)
    numbers, trained = (
        none.index_add(0, place, torch.cat([one[name] for one in told]))  # type: ignore[misc]
        for name in ("numbers", "trained")
    )
    users = torch.cat([one["users"] for one in told])  # type: ignore[misc]
    return {
        "parts": len(told),
        "ratings": int(numbers.sum()),
        "repeated_pairs": sum(one["repeated"] for one in told),  # type: ignore[misc]
        "values": values,
        "numbers": numbers,
        "trained": trained,
        "digest": hashlib.sha256("".join(str(one["digest"]) for one in told).encode()).hexdigest(),
        "user_ratings": users.sort().values,
    }
