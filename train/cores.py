"""Pieces of work on several cores of this machine, by threads: PyTorch and NumPy compute outside Python's lock.

Results come in the order of the pieces, so the number of threads changes no figure.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Piece = TypeVar("Piece")
Result = TypeVar("Result")

_threads = 1


def use_cores(number: int) -> None:
    """Lets `in_order` use so many threads; 0 is one for each core that this process may use."""
    global _threads
    _threads = number or len(os.sched_getaffinity(0))


def in_order(work: Callable[[Piece], Result], pieces: Iterable[Piece], most: int | None = None) -> Iterator[Result]:
    """The results of all pieces, a few of which are worked on at a time, and at most `most`.

    What a piece raises is raised here.

    The mode of autograd is that of a new thread: work that needs no gradients says so itself.
    """
    threads = min(_threads, most or _threads)
    if threads == 1:
        yield from map(work, pieces)
        return
    with ThreadPoolExecutor(threads) as pool:
        running: deque[Future[Result]] = deque()
        for piece in pieces:
            running.append(pool.submit(work, piece))
            if len(running) > threads:  # so that few results wait in memory
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
