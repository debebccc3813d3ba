"""Starts and stops this folder's server: TorchServe, or the ASGI server.

TorchServe keeps its PID file and its workers' sockets in the temporary folder, which two servers cannot share. So each
start makes a new folder and notes it in `.run/server.json`.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from ops import auth
from ops.client import Client, ClientError
from ops.process import console, preflight, state
from ops.process.launch import PID_FILE, launch
from ops.process.loaded import is_as_loaded, note_loaded
from ops.process.state import KILL_TIMEOUT_S, STOP_TIMEOUT_S, ServerError, State
from ops.process.workers import Starts
from ops.settings import ServerSettings, read_settings, stamp
from ops.store.archives import archive_path, start_version

START_TIMEOUT_S = 180.0
# A request to a loading worker waits. With a longer timeout we would not see that the worker fails.
ASK_TIMEOUT_S = 2.0
# The longest path of a Unix socket: 107 bytes on Linux, 103 on macOS.
_MOST_SOCKET_BYTES = 103
_SHORT = "/tmp"  # noqa: S108  # nosec B108


def start(settings: ServerSettings) -> int:
    """Starts the server and returns its PID; does not wait until it is ready.

    Raises:
        ServerError: this folder's server is already running, an address is in use, the archive cannot be read, or
            the server refused.
    """
    started_with = _started_with(settings)
    if (pid := running(settings)) is not None:
        raise ServerError(f"already running, PID {pid}: `make stop` ends it")
    stop(settings)  # the workers of a front end that was killed
    versions = preflight.whole_versions(settings)
    archives = [archive_path(settings.model_store, version) for version in versions]
    preflight.check_addresses(settings)
    scratch = _scratch_folder()
    noted: State = {"pid": None, "scratch": str(scratch), "started_with": started_with, "loaded": {}}
    state.write(settings, noted)  # before the process starts, so that it can be found even if we are killed here
    with console.fresh(settings) as output:
        failed = launch(settings, archives, scratch, output)
    pid_file = scratch / PID_FILE
    if failed or not pid_file.exists():
        stop(settings)
        raise ServerError(f"the server did not start:\n{console.tail(settings)}")
    pid = int(pid_file.read_text())
    state.write(settings, {**noted, "pid": pid})
    for version in versions:
        note_loaded(settings, version)
    return pid


def wait_until_ready(settings: ServerSettings, timeout_s: float = START_TIMEOUT_S) -> None:
    """Returns once a worker of the default version answers.

    Raises:
        ServerError: the server ended, a worker could not load the archive, or the time is up; the message says why.
    """
    deadline = time.monotonic() + timeout_s
    client, starts, failing = Client(settings, timeout_s=ASK_TIMEOUT_S), Starts(), False
    while time.monotonic() < deadline:
        if running(settings) is None:
            if (reason := console.load_failure(settings)) is not None:
                raise cannot_load(settings, reason)
            raise ServerError(f"the server ended while starting:\n{console.tail(settings)}")
        if client.is_ready():
            if (version := start_version(settings.model_store)) is not None:
                state.note_default(settings, version)
            return
        with suppress(ClientError):  # the server is not up yet
            failing = starts.keep_failing(client.workers())
        if failing:
            reason = console.load_failure(settings) or "it ended several times"
            raise cannot_load(settings, reason)
        time.sleep(0.1)
    raise ServerError(f"no worker was ready after {timeout_s:.0f} s:\n{console.tail(settings)}")


def stop(settings: ServerSettings, timeout_s: float = STOP_TIMEOUT_S) -> bool:
    """Stops this folder's server, and workers without a front end. False if no front end was running.

    timeout_s: how long processes may take to end after SIGTERM before they are killed.
    """
    noted = state.read(settings)
    if noted is None:
        return False
    front = state.front_end(noted)
    if front is not None:
        with suppress(psutil.NoSuchProcess):
            front.send_signal(signal.SIGTERM)
        psutil.wait_procs(list(state.family(noted["scratch"])), timeout=timeout_s)
    left = list(state.family(noted["scratch"]))  # workers without a front end serve nobody
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=KILL_TIMEOUT_S)  # the addresses are free once they are gone
    shutil.rmtree(noted["scratch"], ignore_errors=True)
    state.forget(settings)
    return front is not None


def running(settings: ServerSettings) -> int | None:
    """The PID of the server that this folder started, if it still runs."""
    noted = state.read(settings)
    process = state.front_end(noted) if noted else None
    return process.pid if process else None


def settings_as_started(settings: ServerSettings) -> ServerSettings | None:
    """The settings of the running server, with the addresses of its start; None if no server runs."""
    if running(settings) is None:
        return None
    return read_settings(settings.config, settings.folder, environment={})


def is_current(settings: ServerSettings, version: str) -> bool:
    """Whether the running server has this version's present archive, and was started with the present settings."""
    if not is_as_started(settings):
        return False
    if auth.is_on(settings) and auth.find_key(settings, "management") is None:
        return False  # the keys are lost, and only a new start makes new ones
    return bool(is_as_loaded(settings, version))


def is_as_started(settings: ServerSettings) -> bool:
    """Whether a server runs, and was started with the present settings."""
    noted = state.read(settings)
    return noted is not None and running(settings) is not None and noted["started_with"] == _started_with(settings)


def cannot_load(settings: ServerSettings, reason: str) -> ServerError:
    """The error for a worker that cannot load its archive."""
    return ServerError(f"a worker could not load the archive: {reason} ({console.path(settings)} has the rest)")


def _started_with(settings: ServerSettings) -> dict[str, Any]:
    """The settings that a start reads. If they change, the server needs a restart. ops/settings.py reads them back."""
    return {
        "auth": auth.is_on(settings),
        "file": stamp(settings.config),
        "log_format": preflight.log_format(),
        "endpoints": dict(settings.endpoints),
        "server": settings.server,
    }


def _scratch_folder() -> Path:
    """A folder for the server's sockets: in TMPDIR, or in /tmp if a socket's path in TMPDIR would be too long."""
    parent = tempfile.gettempdir()
    longest = len(os.fsencode(parent)) + len("/ncf-serve-12345678/.ts.sock.99999")
    return Path(tempfile.mkdtemp(prefix="ncf-serve-", dir=_SHORT if longest > _MOST_SOCKET_BYTES else parent))
