"""The server as it is now: what was noted at its start, `.run/server.json`, and which processes are its own.

The name of the server's temporary folder stands in the environment of each of its processes, the front end (JVM) and
every worker: so they are found whichever of them was killed, and no other server's are taken for them. The folder that
started it stands there too, by which they are found if `.run/server.json` was damaged.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import psutil

from model.files import atomic_write
from ops.settings import ServerSettings, state_file

STOP_TIMEOUT_S = 20.0
KILL_TIMEOUT_S = 10.0
# Of each process's environment: the folder whose server it is of.
FOLDER = "NCF_SERVE_FOLDER"
_KEYS = {"pid", "scratch", "started_with", "loaded"}

State = dict[str, Any]


class ServerError(RuntimeError):
    """The server did not start, or cannot be reached."""


def read(settings: ServerSettings) -> State | None:
    """What was noted of the server that this folder started last; None where it was stopped."""
    try:
        state: State = json.loads(state_file(settings.folder).read_text())
        if not isinstance(state, dict) or not state.keys() >= _KEYS:
            raise ValueError(f"expected an object with {', '.join(sorted(_KEYS))}")
    except FileNotFoundError:
        return None
    except ValueError as error:
        return _mend(settings, error)
    return state


def write(settings: ServerSettings, state: Mapping[str, Any]) -> None:
    """Notes `state` in one step: whoever is killed here, or loses power, leaves the old one or the new one."""
    path = state_file(settings.folder)
    path.parent.mkdir(exist_ok=True)
    with atomic_write(path, durable=True) as partial:
        partial.write_text(json.dumps(state), encoding="utf-8")


def forget(settings: ServerSettings) -> None:
    """Notes that there is no server."""
    state_file(settings.folder).unlink(missing_ok=True)


def note_default(settings: ServerSettings, version: str) -> None:
    """Remembers, beyond a stop, which version answered: the Makefile serves no other one where the store is gone."""
    state_file(settings.folder).with_name("default").write_text(f"{version}\n")


def family(scratch: str) -> Iterator[psutil.Process]:
    """Every process of the server whose temporary folder this is."""
    return (process for process, environment in _environments() if environment.get("TMPDIR") == scratch)


def front_end(state: State) -> psutil.Process | None:
    """The server's JVM, if it still runs."""
    if state["pid"] is None:  # whoever started it was killed before its PID was known
        return next((one for one in family(state["scratch"]) if _is_front_end(one, state["scratch"])), None)
    try:
        process = psutil.Process(state["pid"])
    except psutil.Error:
        return None
    return process if _is_front_end(process, state["scratch"]) else None


def _mend(settings: ServerSettings, error: ValueError) -> State | None:
    """Writes a damaged state anew, from the processes that are there; what they were started with is not known."""
    told, folder = f"{state_file(settings.folder)}: {error}", str(settings.folder.resolve())
    for _, environment in _environments():
        if environment.get(FOLDER) == folder:
            state: State = {"pid": None, "scratch": environment["TMPDIR"], "started_with": None, "loaded": {}}
            write(settings, state)
            print(f"{told}: written anew for the server that runs here", file=sys.stderr, flush=True)
            return state
    forget(settings)
    print(f"{told}: removed, no server of this folder runs", file=sys.stderr, flush=True)
    return None


def _environments() -> Iterator[tuple[psutil.Process, dict[str, str]]]:
    for process in psutil.process_iter():
        try:
            environment = process.environ()
        except (psutil.Error, OSError):  # it has just ended, or is another user's
            continue
        yield process, environment


def _is_front_end(process: psutil.Process, scratch: str) -> bool:
    try:
        return "org.pytorch.serve.ModelServer" in process.cmdline() and process.environ().get("TMPDIR") == scratch
    except (psutil.Error, OSError):
        return False
