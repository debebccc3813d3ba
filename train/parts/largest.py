"""The n-th largest number of all processes, which none of them needs to see: they count digit by digit.

Counts are whole numbers, so the result does not depend on the number of processes or on the order of rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from train.dataset.hashes import Hashes
from train.parts.group import Group

_DIGIT_BITS = 16
_DIGITS = 1 << _DIGIT_BITS
_SHIFTS = (48, 32, 16, 0)  # from the highest digit of 64 bits to the lowest


def nth_largest(keys: Sequence[Hashes], number: int, group: Group) -> tuple[np.uint64, int]:
    """The `number`-th largest of all processes' keys, counted from 1, and how many equal to it are among the `number`.

    keys: of this process, some arrays. Every process gets the same.
    """
    found, left = 0, number
    for shift in _SHIFTS:
        count = np.zeros(_DIGITS, dtype=np.int64)
        for own in keys:
            alike = own if shift == _SHIFTS[0] else own[own >> np.uint64(shift + _DIGIT_BITS) == found]
            digit = (alike >> np.uint64(shift)).astype(np.int64) & (_DIGITS - 1)
            count += np.bincount(digit, minlength=_DIGITS)
        whole = added_up(count, group)
        from_top = np.cumsum(whole[::-1])
        place = int(np.searchsorted(from_top, left))
        left -= int(from_top[place] - whole[::-1][place])
        found = found << _DIGIT_BITS | (_DIGITS - 1 - place)
    return np.uint64(found), left


def added_up(own: np.ndarray, group: Group) -> np.ndarray:
    """The sum (N,) of all processes' whole numbers (N,), for every one."""
    total: np.ndarray = group.gather(torch.from_numpy(own).unsqueeze(0)).sum(0).numpy()
    return total


def ascending_keys(numbers: np.ndarray) -> Hashes:
    """Keys (N,) in the order of float64 numbers (N,): negative ones with all bits turned, others with the sign's."""
    bits = (numbers + 0.0).view(np.uint64)  # which makes -0.0 equal to 0.0
    sign = np.uint64(1 << 63)
    keys: Hashes = np.where(bits & sign, ~bits, bits | sign)
    return keys
