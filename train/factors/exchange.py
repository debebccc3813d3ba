"""What a sweep asks of its processes: to add up the sums of all parts, and to gather rows.

train/factors/in_memory.py adds parts up as they come, with one process or those of train/distributed.py; train/parts
adds them in one order, whatever the number of processes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor


class PartSum(Protocol):
    """The sum of one tensor of each part."""

    def add(self, part: int, value: Tensor) -> None:
        """Adds a part's tensor, which then belongs to the sum."""

    def total(self) -> Tensor:
        """The sum over all parts, for every process."""

    def total_of_rows(self, ends: Sequence[int]) -> Tensor:
        """The rows ends[r] to ends[r + 1] of the sum, for each process r its own."""


class Exchange(Protocol):
    """What processes send each other."""

    @property
    def rank(self) -> int:
        """The number of this process."""

    @property
    def world(self) -> int:
        """The number of processes."""

    def new_sum(self) -> PartSum:
        """A sum without parts."""

    def gather(self, own: Tensor, ends: Sequence[int]) -> Tensor:
        """The rows of all processes; those of process r are ends[r] to ends[r + 1]."""
