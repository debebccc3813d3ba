"""How a command behaves at a terminal: a Ctrl-C while it still imports, which takes seconds, and a reader that leaves.

Each package of commands calls `behave_as_command` when it is imported. In a library, nothing changes.
"""

from __future__ import annotations

import io
import os
import sys
from types import TracebackType


class _UntilItsReaderLeft(io.FileIO):
    """Standard output. After `| head -1` has read its line, the command goes on, and what it writes is dropped."""

    def write(self, data: bytes | bytearray | memoryview) -> int:  # type: ignore[override]  # typeshed: any buffer
        try:
            return super().write(data)
        except BrokenPipeError:
            return len(data)


def behave_as_command() -> None:
    """Takes effect where `python -m` is about to run a module of the package: until it is found, that is argv[0]."""
    if sys.argv[:1] != ["-m"]:
        return
    sys.excepthook = _say_little_of_interrupts
    usual = sys.stdout
    if isinstance(usual, io.TextIOWrapper):  # it is None where standard output is closed
        raw = _UntilItsReaderLeft(usual.fileno(), "w", closefd=False)
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(raw),
            usual.encoding,
            usual.errors,
            line_buffering=usual.line_buffering or usual.write_through,
        )


def _say_little_of_interrupts(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    print("interrupted", file=sys.stderr, flush=True)
    os._exit(130)
