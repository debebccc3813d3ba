"""The locks on this folder's server.

One process at a time starts or stops it. One verb at a time changes its versions. At most one supervisor watches it.
The locked file names the process or verb that holds the lock. The kernel releases the lock however that process ends.
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

from ops.process.state import KILL_TIMEOUT_S, STOP_TIMEOUT_S, ServerError
from ops.settings import ServerSettings

_SUPERVISOR = "supervisor"


@contextmanager
def starting_or_stopping(settings: ServerSettings) -> Iterator[None]:
    """Prevents other processes from starting or stopping this folder's server; first waits until none does."""
    with _locked(settings, "lock", str(os.getpid()), _say_who_starts_or_stops):
        yield


@contextmanager
def only_verb(settings: ServerSettings, name: str) -> Iterator[None]:
    """Waits until no other verb changes this folder's server. Two at once could leave server and record different.

    name: of this verb; verbs that wait for it show this name.
    """
    with _locked(settings, "verb", name, _say_which_verb):
        yield


@contextmanager
def only_supervisor(settings: ServerSettings) -> Iterator[None]:
    """Makes this process the folder's supervisor.

    Raises:
        ServerError: the folder already has a supervisor.
    """
    with _locked(settings, _SUPERVISOR, str(os.getpid()), _refuse):
        yield


def supervisor(settings: ServerSettings) -> int | None:
    """The PID of the folder's supervisor; None if there is none."""
    try:
        with _path(settings, _SUPERVISOR).open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read())
    except FileNotFoundError:
        pass
    return None


def stop_supervisor(settings: ServerSettings) -> bool:
    """Stops the folder's supervisor, which stops its server. False if there is none.

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
def _locked(settings: ServerSettings, name: str, holder: str, when_held: Callable[[str], None]) -> Iterator[None]:
    """Holds the lock as `holder`. If another process holds it: calls `when_held` with its name, then waits."""
    path = _path(settings, name)
    path.parent.mkdir(exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            when_held(file.read())
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(holder)
        file.flush()
        yield


def _say_who_starts_or_stops(pid: str) -> None:
    print(f"waiting for PID {pid}, which starts or stops the server of this folder", file=sys.stderr, flush=True)


def _say_which_verb(name: str) -> None:
    print(f"waiting for `{name}` to end ...", flush=True)


def _refuse(pid: str) -> None:
    raise ServerError(f"another supervisor runs here, PID {pid}: `make stop` ends it")


def _path(settings: ServerSettings, name: str) -> Path:
    return settings.folder / ".run" / name
