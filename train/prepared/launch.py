"""How the pieces of a preparation are done: one after the other, or spread over machines (train/cluster)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

_Piece = TypeVar("_Piece")
_Result = TypeVar("_Result")


class Launcher(Protocol):
    """Does pieces of work, and yields their results in order."""

    def __call__(
        self, work: Callable[[_Piece], _Result], pieces: Sequence[_Piece], name: Callable[[_Piece], str]
    ) -> Iterator[_Result]:
        """name: of a piece, for messages."""
        ...


def in_turn(
    work: Callable[[_Piece], _Result], pieces: Sequence[_Piece], name: Callable[[_Piece], str]
) -> Iterator[_Result]:
    """The launcher of one process."""
    del name
    return map(work, pieces)
