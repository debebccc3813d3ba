"""One supervisor per folder: who it is, and how another process ends it."""

from __future__ import annotations

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ops.server import KILL_TIMEOUT_S, STOP_TIMEOUT_S, ServerError
from ops.settings import ServerSettings


@contextmanager
def only_supervisor(settings: ServerSettings) -> Iterator[None]:
    """Makes this process the folder's supervisor; the kernel ends that however the process ends.

    Raises:
        ServerError: another process is.
    """
    _path(settings).parent.mkdir(exist_ok=True)
    with _path(settings).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise ServerError(f"another one runs here, PID {file.read()}: `make stop` ends it") from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def supervisor(settings: ServerSettings) -> int | None:
    """The PID of the folder's supervisor, if there is one."""
    try:
        with _path(settings).open() as file:
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


def _path(settings: ServerSettings) -> Path:
    return settings.folder / ".run" / "supervisor"
