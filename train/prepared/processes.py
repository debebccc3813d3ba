"""A preparation by several processes of this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from functools import cache
from multiprocessing import get_context
from typing import TypeVar

import pyarrow as pa

from train.child_process import end_with_parent
from train.errors import DataError
from train.prepared.launch import Launcher, in_turn

_Piece = TypeVar("_Piece")
_Result = TypeVar("_Result")


@contextmanager
def launcher_of_processes(number: int) -> Iterator[Launcher]:
    """Does pieces in so many processes. They start when there is more than one piece, and end with the block.

    What it yields raises DataError if a process was killed, and what went wrong with the first piece that failed.
    """
    if number == 1:
        yield in_turn
        return
    with ExitStack() as stack:

        @cache
        def started() -> ProcessPoolExecutor:
            context = get_context("spawn")  # a fork of a process with pyarrow's threads may hang
            return stack.enter_context(ProcessPoolExecutor(number, context, initializer=_begin))

        def launch(
            work: Callable[[_Piece], _Result], pieces: Sequence[_Piece], name: Callable[[_Piece], str]
        ) -> Iterator[_Result]:
            if len(pieces) < 2:
                yield from in_turn(work, pieces, name)
                return
            results = [started().submit(work, piece) for piece in pieces]
            try:
                for result in results:
                    yield result.result()
            except BrokenProcessPool:
                told = "a process was killed, as a lack of memory may do: fewer processes need less memory"
                raise DataError(told) from None
            finally:
                for result in results:
                    result.cancel()

        yield launch


def _begin() -> None:
    end_with_parent()
    pa.set_cpu_count(1)  # the processes are the parallelism
