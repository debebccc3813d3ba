"""Who may start and stop this folder's server: one process at a time, and one supervisor for as long as it lives.

The holder's PID stands in the file that is locked; the kernel frees it however that process ends.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ops.processes import KILL_TIMEOUT_S, STOP_TIMEOUT_S, ServerError
from ops.settings import ServerSettings


@contextmanager
def starting_or_stopping(settings: ServerSettings) -> Iterator[None]:
    """Lets no other process start or stop this folder's server meanwhile; waits for one that does."""
    with _locked(settings.folder / ".run" / "lock", _say_waiting):
        yield


@contextmanager
def only_supervisor(settings: ServerSettings) -> Iterator[None]:
    """Makes this process the folder's supervisor.

    Raises:
        ServerError: another process is.
    """
    with _locked(_supervisor_file(settings), _refuse):
        yield


def supervisor(settings: ServerSettings) -> int | None:
    """The PID of the folder's supervisor, if there is one."""
    try:
        with _supervisor_file(settings).open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read())
    except FileNotFoundError:
        pass
    return None


def stop_supervisor(settings: ServerSettings) -> bool:
    """Ends the folder's supervisor, which ends its server; False where there is none.

    Raises:
        ServerError: it did not end in time.
    """
    pid = supervisor(settings)
    if pid is None:
        return False
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT_S + 2 * KILL_TIMEOUT_S
    while supervisor(settings) is not None:
        if time.monotonic() > deadline:
            raise ServerError(f"the supervisor, PID {pid}, does not end")
        time.sleep(0.1)
    return True


@contextmanager
def _locked(path: Path, when_held: Callable[[str], None]) -> Iterator[None]:
    """Holds the lock; calls `when_held` with the PID of another holder, and waits for that one if it returns."""
    path.parent.mkdir(exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            when_held(file.read())
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _say_waiting(pid: str) -> None:
    print(f"waiting for PID {pid}, which starts or stops the server of this folder", file=sys.stderr, flush=True)


def _refuse(pid: str) -> None:
    raise ServerError(f"another one runs here, PID {pid}: `make stop` ends it")


def _supervisor_file(settings: ServerSettings) -> Path:
    return settings.folder / ".run" / "supervisor"
