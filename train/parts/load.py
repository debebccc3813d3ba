"""The parts that a process has, in memory, and what all processes know of all parts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from model.ids import IdMap
from train.dataset.hashes import Hashes, below, id_hashes, seed_hash, splitmix64
from train.parts.config import PartsConfig
from train.parts.group import Group
from train.parts.measured_file import Measured, MeasuredFile, Read, read_test_file
from train.parts.newness import Seen
from train.parts.split import Hashed, described_split, held_out_rows, repeats
from train.prepared.folder import PreparedFolder
from train.prepared.rows import Rows

_MEASURED = 1_000_000  # most held-out ratings that are measured: enough for a standard error of .001
_OF_MEASURED = 0x3C6E  # they are drawn apart from the held-out ones

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Part:
    """One part. rows: without times.

    held_out: mask (R,) of the ratings that are held out. measured: all or some of these, or those of a test file.
    sampled: mask (n,) of the users that the first process sees whole; times: of their ratings, or None.
    digest: SHA-256 of its ratings and their times.
    """

    number: int
    rows: Rows
    held_out: Mask
    measured: Measured
    sampled: Mask
    times: npt.NDArray[np.float64] | None
    digest: str

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
    seen: how new each movie is; None where no drift is learned from times.
    """

    parts: int
    ratings: int
    repeated_pairs: int
    values: Tensor
    numbers: Tensor
    trained: Tensor
    digest: str
    user_ratings: Tensor
    seen: Seen | None


class Loaded(NamedTuple):
    """This process's parts. seen: how new each movie is, where the drift is learned from times.

    test, described: the measured rows of a test file, and the split for metrics.json, in the first process.
    """

    parts: list[Part]
    seen: Seen | None
    test: MeasuredFile | None
    described: dict[str, Any] | None


def load_parts(folder: PreparedFolder, movie_ids: IdMap, config: PartsConfig, group: Group) -> Loaded:
    """Reads this process's parts.

    Raises:
        DataError: a part is damaged, the split leaves one side empty, or the test file cannot be used.
    """
    movie_hash = id_hashes(movie_ids.ids)
    numbers = group.parts(folder.manifest.parts)
    hashed = [Hashed.of(folder.rows(number, movie_ids), movie_hash, config.split_seed) for number in numbers]
    held_out, total = held_out_rows(hashed, config, group)
    rows = [one.rows for one in hashed]
    if config.test_file is None:
        some = _MEASURED / max(total, 1)
        measured = [_measured(one, mask, some, config.split_seed) for one, mask in zip(hashed, held_out, strict=True)]
        read = Read(measured, None, described_split(config))
    else:
        read = read_test_file(config, dict(zip(numbers, rows, strict=True)), folder, movie_ids, group)
    seen = None
    if config.learns_drift and folder.manifest.times:
        seen = Seen.of(rows, held_out, len(movie_ids), group)
    whole = zip(numbers, hashed, held_out, read.measured, strict=True)
    parts = [_part(*one, folder.manifest.ratings, config) for one in whole]
    return Loaded(parts, seen, read.rows, read.described)


def _measured(hashed: Hashed, held_out: Mask, share: float, seed: int) -> Measured:
    """So large a share of the held-out ratings."""
    rows, _, row_hash = hashed
    mask = held_out & below(splitmix64(row_hash ^ seed_hash(seed + _OF_MEASURED)), share)
    return Measured(rows.owner[mask], rows.item[mask], rows.rating[mask])


def _part(number: int, hashed: Hashed, held_out: Mask, measured: Measured, ratings: int, config: PartsConfig) -> Part:
    """ratings: of all parts."""
    rows, user_hash, _ = hashed
    sampled = sampled_users(user_hash, ratings, config)
    return Part(
        number,
        rows._replace(time=None),
        held_out,
        measured,
        sampled,
        None if rows.time is None else rows.time[sampled[rows.owner]],
        _digest(rows),
    )


def sampled_users(user_hash: Hashes, ratings: int, config: PartsConfig) -> Mask:
    """Which users (n,) the first process sees whole, by their hashes. ratings: number of all."""
    return below(splitmix64(user_hash ^ seed_hash(config.seed)), config.interest.max_ratings / ratings)


def _digest(rows: Rows) -> str:
    digest = hashlib.sha256()
    for array in (rows.users, rows.start, rows.item, rows.rating, *([] if rows.time is None else [rows.time])):
        digest.update(np.ascontiguousarray(array).view(np.uint8).data)
    return digest.hexdigest()


def load_facts(parts: list[Part], seen: Seen | None, number: int, group: Group) -> Facts:
    """The facts, which every process gets. number: of all parts."""
    by_number = {part.number: part for part in parts}
    told = {one["part"]: one for one in group.each(number, lambda one: _told(by_number[one]))}
    facts = group.tell(_facts([told[one] for one in range(number)]) if group.first else None)
    return Facts(**facts, seen=seen)


def _told(part: Part) -> dict[str, object]:
    rows = part.rows
    values, place = np.unique(rows.rating, return_inverse=True)
    numbers = np.bincount(place, minlength=len(values))
    trained = np.bincount(place[~part.held_out], minlength=len(values))
    each = np.sort(np.diff(rows.start)).astype(np.int32)
    repeated = int(np.count_nonzero(repeats(rows)))
    tensors = {"values": values, "numbers": numbers, "trained": trained, "users": each}
    return {
        "part": part.number,
        "digest": part.digest,
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
