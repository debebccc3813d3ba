"""Several processes that share the parts. They end together: after the last part, at an error, or when stopped."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import cast

from score.work import Work, do
from train.child_process import end_with_parent
from train.errors import DataError

_DONE = -1


def do_together(shares: list[Work]) -> Iterator[int]:
    """Does each share in a process of its own; yields the number of users after each batch of any of them.

    Raises:
        DataError: a process was killed.
        Exception: what went wrong in a process.
    """
    if len(shares) == 1:
        yield from do(shares[0])
        return
    context = multiprocessing.get_context("spawn")  # a fork of a process with torch's threads may hang
    processes: dict[Connection, SpawnProcess] = {}
    try:
        for share in shares:
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_run, args=(share, theirs), daemon=True)
            process.start()
            theirs.close()
            processes[ours] = process
        yield from _reports(processes)
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            process.join()


def _reports(processes: dict[Connection, SpawnProcess]) -> Iterator[int]:
    running = set(processes)
    while running:
        for connection in cast(list[Connection], wait(list(running))):
            try:
                told = connection.recv()
            except EOFError:
                processes[connection].join()
                status = processes[connection].exitcode
                way = "fewer --processes need less memory; the same command goes on where this one ended"
                raise DataError(f"a process ended with status {status}, as a lack of memory may do: {way}") from None
            if isinstance(told, Exception):
                raise told
            if told == _DONE:
                running.remove(connection)
            else:
                yield told


def _run(work: Work, report: Connection) -> None:
    """One process."""
    end_with_parent()
    with suppress(BrokenPipeError):
        try:
            for users in do(work):
                report.send(users)
            report.send(_DONE)
        except (ValueError, OSError) as error:
            report.send(error)
