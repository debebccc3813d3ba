"""Makes the running ASGI server serve other versions. It replaces the processes one by one and loses no request.

uvicorn does this at SIGHUP. It ends an old process after a new one has loaded the versions. If a new one cannot load
them, it keeps all old processes.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

from ops.asgi import shared
from ops.asgi.archives import lay, point_to, remove_others
from ops.client import Client, ClientError
from ops.process import console, preflight, server, state
from ops.process.loaded import forget_loaded, note_loaded
from ops.process.state import ServerError
from ops.settings import ASGI, ServerSettings
from ops.store.archives import archive_path
from ops.undo import undone_on_failure

TIMEOUT_S = 300.0


def can_exchange(settings: ServerSettings) -> bool:
    """Whether a start would change nothing but the versions of the running server."""
    return settings.server == ASGI and server.is_as_started(settings)


def exchange_versions(settings: ServerSettings) -> None:
    """Returns once every process serves the versions of the next start.

    Raises:
        ServerError, OSError: an archive is damaged, or a process could not load it. The former versions are served
            again.
    """
    versions = preflight.whole_versions(settings)
    folder = _folder(settings)
    former, since, before = shared.archives(folder).resolve(), console.size(settings), set(_workers(settings))
    with undone_on_failure() as undo:
        undo.add("serve the former versions", lambda: _go_back(settings, folder, former))
        lay([archive_path(settings.model_store, version) for version in versions], folder)
        _replace_processes(settings)
        _wait(settings, before, since)
    remove_others(folder)
    noted = state.read(settings)
    for version in set(noted["loaded"] if noted else ()) - {*versions}:
        forget_loaded(settings, version)
    for version in versions:
        note_loaded(settings, version)
    state.note_default(settings, versions[0])


def _go_back(settings: ServerSettings, folder: Path, former: Path) -> None:
    tried = shared.archives(folder).resolve()
    if tried != former:
        point_to(folder, former)
        _replace_processes(settings)
        shutil.rmtree(tried, ignore_errors=True)


def _replace_processes(settings: ServerSettings) -> None:
    pid = server.running(settings)
    if pid is None:
        raise ServerError(f"the server ended:\n{console.tail(settings)}")
    os.kill(pid, signal.SIGHUP)


def _wait(settings: ServerSettings, before: set[int], since: int) -> None:
    """Returns once all former processes have ended."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        if (reason := console.load_failure(settings, since)) is not None:
            raise server.cannot_load(settings, reason)
        try:
            now = set(_workers(settings))
        except ClientError:  # the connected process ended just then
            now = before
        if now and not now & before:
            return
        if time.monotonic() > deadline or server.running(settings) is None:
            raise ServerError(f"the processes were not replaced:\n{console.tail(settings)}")
        time.sleep(0.1)


def _workers(settings: ServerSettings) -> list[int]:
    return [worker["pid"] for worker in Client(settings).workers()]


def _folder(settings: ServerSettings) -> Path:
    """The folder that the server shares with its processes."""
    noted = state.read(settings)
    assert noted is not None
    [folder] = Path(noted["scratch"]).glob(f"{shared.PREFIX}*")
    return folder
