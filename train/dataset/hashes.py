"""Hashes that do not depend on the machine, on the order of rows or on the number of parts.

They decide in which part a user lies, which ratings are held out, and which are drawn as a sample.
Shapes: N ids or rows.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]

_STEP, _FIRST, _SECOND = (np.uint64(one) for one in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_BITS = 64


def splitmix64(values: Hashes) -> Hashes:
    """Hashes (N,) of numbers (N,): Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators"."""
    mixed = values + _STEP
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
    return mixed ^ (mixed >> np.uint64(31))


def id_hashes(ids: np.ndarray) -> Hashes:
    """Hashes (N,) of raw ids: splitmix64 of integers; of strings the first 8 bytes of SHA-256, the highest first."""
    if ids.dtype.kind != "S":
        return splitmix64(ids.astype(np.int64).view(np.uint64))
    digests = b"".join(hashlib.sha256(one).digest()[:8] for one in ids.tolist())
    return np.frombuffer(digests, dtype=">u8").astype(np.uint64)


def part_of(hashes: Hashes, parts: int) -> npt.NDArray[np.int64]:
    """The parts (N,) of users by their hashes: the highest bits, of 2^k parts."""
    bits = parts.bit_length() - 1
    return (hashes >> np.uint64(_BITS - bits)).astype(np.int64) if bits else np.zeros(len(hashes), dtype=np.int64)


def row_hashes(
    seed: int, user: Hashes, item: Hashes, rating: npt.NDArray[np.float32], occurrence: npt.NDArray[np.int64]
) -> Hashes:
    """Hashes (N,) of ratings by the hashes of their ids. occurrence: how many earlier rows are the same."""
    mixed = splitmix64(user ^ seed_hash(seed))
    for part in (item, rating.view(np.uint32).astype(np.uint64), occurrence.view(np.uint64)):
        mixed = splitmix64(mixed ^ part)
    return mixed


def seed_hash(seed: int) -> np.uint64:
    """The hash of a seed."""
    return np.uint64(splitmix64(np.array([seed], dtype=np.int64).view(np.uint64))[0])


def below(hashes: Hashes, share: float) -> npt.NDArray[np.bool_]:
    """Which hashes (N,) lie in the lowest share of all: `share` of them on average."""
    if share >= 1:
        return np.ones(len(hashes), dtype=np.bool_)
    return np.asarray(hashes < np.uint64(int(share * 2.0**_BITS)))
