"""Undoing steps: a verb that fails restores everything."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Undo:
    """The steps that undo what was done so far; the last one runs first."""

    def __init__(self) -> None:
        self._steps: list[tuple[str, Callable[[], object]]] = []

    def add(self, what: str, step: Callable[[], object]) -> None:
        """Registers how to undo an action. Call this before the action, because a failed action may still take effect.

        what: the step in words, such as `set the default back to 1.0`; a person reads it if the step itself fails.
        """
        self._steps.append((what, step))

    def run(self) -> None:
        """Runs every step, even if others fail, and prints those that failed."""
        while self._steps:
            what, step = self._steps.pop()
            try:
                step()
            except Exception as error:
                print(f"could not {what}: {error}", file=sys.stderr, flush=True)


@contextmanager
def undone_on_failure() -> Iterator[Undo]:
    """Runs the registered steps if the block raises anything, including Ctrl-C or a bug."""
    undo = Undo()
    try:
        yield undo
    except BaseException:
        undo.run()
        raise
