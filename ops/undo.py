"""Taking steps back: a verb that fails leaves everything as it was."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Undo:
    """The steps that take back what was done so far, the last one first."""

    def __init__(self) -> None:
        self._steps: list[tuple[str, Callable[[], object]]] = []

    def add(self, what: str, step: Callable[[], object]) -> None:
        """Remembers how to take something back. Add it before doing it: what fails may have happened all the same.

        what: the step in words, such as `set the default back to 1.0`; a person reads it if the step itself fails.
        """
        self._steps.append((what, step))

    def run(self) -> None:
        """Takes every step, whatever the others raise; tells of those that failed."""
        while self._steps:
            what, step = self._steps.pop()
            try:
                step()
            except Exception as error:
                print(f"could not {what}: {error}", file=sys.stderr, flush=True)


@contextmanager
def undone_on_failure() -> Iterator[Undo]:
    """Takes back what was added if the block raises anything, a Ctrl-C or a fault of ours included."""
    undo = Undo()
    try:
        yield undo
    except BaseException:
        undo.run()
        raise
