"""How a command behaves at a terminal: a Ctrl-C while it still imports, which takes seconds, and a reader that leaves.

Each package of commands calls `behave_as_command` when it is imported. In a library, nothing changes. A command that
has something to undo calls `begin_work` first.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from types import FrameType


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
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # a background job may ignore it
        signal.signal(signal.SIGINT, _end)
    usual = sys.stdout
    if isinstance(usual, io.TextIOWrapper):  # it is None where standard output is closed
        raw = _UntilItsReaderLeft(usual.fileno(), "w", closefd=False)
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(raw),
            usual.encoding,
            usual.errors,
            line_buffering=usual.line_buffering or usual.write_through,
        )


def begin_work() -> None:
    """From here on, a Ctrl-C raises KeyboardInterrupt, as usual."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  as the signal module calls it
    """Ends at once. Some C extensions make other errors of an exception that is raised while they are imported."""
    print("interrupted", file=sys.stderr, flush=True)
    os._exit(130)
