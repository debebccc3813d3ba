"""Pieces of work on several cores of this machine, by threads: PyTorch and NumPy compute outside Python's lock.

Results come in the order of the pieces, so the number of threads changes no figure.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import chain, islice
from typing import TypeVar

Piece = TypeVar("Piece")
Result = TypeVar("Result")

_NAME = "in-order"
_threads = 1
# The threads stay from call to call: a new one begins with memory that the system has to clear first.
_pool: ThreadPoolExecutor | None = None


def use_cores(number: int) -> None:
    """Lets `in_order` use so many threads; 0 is one for each core that this process may use."""
    global _threads, _pool
    if _pool is not None:
        _pool.shutdown()
    _threads = number or len(os.sched_getaffinity(0))
    _pool = ThreadPoolExecutor(_threads, _NAME) if _threads > 1 else None


def cores() -> int:
    """How many threads `in_order` uses."""
    return _threads


def in_order(work: Callable[[Piece], Result], pieces: Iterable[Piece], most: int | None = None) -> Iterator[Result]:
    """The results of all pieces, a few of which are worked on at a time, and at most `most`.

    What a piece raises is raised here. The mode of autograd is that of a new thread: work that needs no gradients says
    so itself.
    """
    rest = iter(pieces)
    two = list(islice(rest, 2))
    at_once = most or _threads + 1
    inside = threading.current_thread().name.startswith(_NAME)  # a piece of another call: threads would wait for it
    if _pool is None or at_once == 1 or len(two) < 2 or inside:
        yield from map(work, chain(two, rest))
        return
    running: deque[Future[Result]] = deque()
    try:
        for piece in chain(two, rest):
            running.append(_pool.submit(work, piece))
            if len(running) == at_once:  # so that few results wait in memory
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
    finally:
        for one in running:
            one.cancel()
        wait(running)
