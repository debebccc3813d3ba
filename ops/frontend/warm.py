"""The warm process: it imports torch while the front end starts, and then forks TorchServe's workers.

Most of a worker's start is `import torch`, and TorchServe starts no worker before its front end is up. So
ops/process/launch.py starts this process together with the front end. TorchServe then runs ops/frontend/worker.py as
the Python of a worker, and that program orders the worker here. A fork has torch at once, and shares its memory with
the other workers. If this process is gone or does not answer, the program runs an ordinary worker.

This file imports nothing of ours, because a worker imports the code inside its archive. It is for Linux alone.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What TorchServe's worker and our handler import. If one is missing, the worker says so.
LIBRARIES = ("torch", "numpy", "yaml", "psutil", "orjson", "simdjson")
STARTED = b"started"
# The file beside the socket's that says that the libraries are imported, so that an order takes no time.
READY = ".ready"
_LONGEST_ORDER = 1 << 20
_SEND_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Order:
    """A worker to be: its arguments, folder, environment and standard streams, and the program that ordered it."""

    arguments: list[str]
    folder: str
    environment: dict[str, str]
    streams: list[int]
    program: socket.socket

    def fulfil(self) -> None:
        """Makes this process that worker."""
        os.chdir(self.folder)
        os.environ.clear()
        os.environ.update(self.environment)
        for number, stream in enumerate(self.streams):
            os.dup2(stream, number)
            os.close(stream)
        sys.argv = self.arguments
        sys.path[:0] = filter(None, self.environment.get("PYTHONPATH", "").split(os.pathsep))
        runpy.run_path(self.arguments[0], run_name="__main__")


class Workers:
    """The forked workers. A worker and the program that ordered it end together."""

    def __init__(self, listener: socket.socket, front_end: int) -> None:
        self._listener, self._front_end = listener, front_end
        self._programs: dict[int, socket.socket] = {}  # by the worker's pidfd

    def fork(self) -> Order | None:
        """Forks a worker for each order; returns that order in the worker, and None here after the front end's end."""
        with selectors.PollSelector() as selector:
            selector.register(self._front_end, selectors.EVENT_READ)
            selector.register(self._listener, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj == self._front_end:
                        return None
                    if key.fileobj is not self._listener:
                        self._end(selector, key)
                    elif (order := self._receive()) is not None and self._is_worker(selector, order):
                        return order

    def _receive(self) -> Order | None:
        """The order of a program that still waits for it."""
        program, _ = self._listener.accept()
        with ExitStack() as unless_read:
            unless_read.callback(program.close)
            program.settimeout(_SEND_TIMEOUT_S)
            with suppress(OSError):
                text, streams, _, _ = socket.recv_fds(program, _LONGEST_ORDER, 3)
                for stream in streams:
                    unless_read.callback(os.close, stream)
                if text:
                    program.settimeout(None)
                    program.send(STARTED)  # fails if the program has given up, and runs the worker itself
                    unless_read.pop_all()
                    return Order(**json.loads(text), streams=streams, program=program)
        return None

    def _is_worker(self, selector: selectors.BaseSelector, order: Order) -> bool:
        """Forks; whether this is the new process."""
        pid = os.fork()
        if pid == 0:
            for worker, program in self._programs.items():
                os.close(worker)
                program.close()
            return True
        for stream in order.streams:
            os.close(stream)
        worker = os.pidfd_open(pid)
        self._programs[worker] = order.program
        selector.register(worker, selectors.EVENT_READ, worker)
        selector.register(order.program, selectors.EVENT_READ, worker)
        return False

    def _end(self, selector: selectors.BaseSelector, key: Any) -> None:
        """Ends both: the worker has ended, or the program, which TorchServe kills to end the worker."""
        worker = key.data
        program = self._programs.pop(worker, None)
        if program is None:  # both ended at once, and the first event has settled it
            return
        signal.pidfd_send_signal(worker, signal.SIGKILL)
        os.waitid(os.P_PIDFD, worker, os.WEXITED)
        selector.unregister(worker)
        selector.unregister(program)
        os.close(worker)
        program.close()


def main() -> None:
    """Arguments: two descriptors, one that is at its end once the front end has ended, and a socket that listens."""
    front_end, listening = map(int, sys.argv[1:])
    with socket.socket(fileno=listening) as listener:
        gc.disable()  # a collection looks through all of torch, and finds nothing
        for name in LIBRARIES:
            with suppress(ImportError):
                importlib.import_module(name)
        gc.freeze()
        gc.enable()
        Path(listener.getsockname() + READY).touch()
        order = Workers(listener, front_end).fork()
        os.close(front_end)
    if order is not None:
        order.fulfil()


if __name__ == "__main__":
    main()
