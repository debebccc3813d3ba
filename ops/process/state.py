"""The state of the server: the notes of its start, `.run/server.json`, and its processes.

Each process of the server, the front end (JVM) and every worker, has the server's temporary folder in its environment.
This finds all of them, even if some were killed, and never those of another server. The environment also names the
folder that started the server, so we find the processes even if `.run/server.json` is damaged.
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
# The variable in each process's environment that names the folder of its server.
FOLDER = "NCF_SERVE_FOLDER"
# The word on a front end's command line: TorchServe's JVM, or the parent of the ASGI server's processes.
_FRONT_ENDS = {"org.pytorch.serve.ModelServer", "ops.asgi"}
_KEYS = {"pid", "scratch", "started_with", "loaded"}

State = dict[str, Any]


class ServerError(RuntimeError):
    """The server did not start, or cannot be reached."""


def read(settings: ServerSettings) -> State | None:
    """The notes on the server that this folder started last; None if it was stopped."""
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
    """Writes `state` in one step. A kill or a power cut leaves the old state or the new one."""
    path = state_file(settings.folder)
    path.parent.mkdir(exist_ok=True)
    with atomic_write(path, durable=True) as partial:
        partial.write_text(json.dumps(state), encoding="utf-8")


def forget(settings: ServerSettings) -> None:
    """Notes that there is no server."""
    state_file(settings.folder).unlink(missing_ok=True)


def note_default(settings: ServerSettings, version: str) -> None:
    """Notes the version that answered; the note survives a stop. If the store is lost, `make serve` serves no other."""
    state_file(settings.folder).with_name("default").write_text(f"{version}\n")


def family(scratch: str) -> Iterator[psutil.Process]:
    """Every process of the server whose temporary folder this is."""
    return (process for process, environment in _environments() if environment.get("TMPDIR") == scratch)


def front_end(state: State) -> psutil.Process | None:
    """The server's first process, if it still runs: TorchServe's JVM, or the parent of the ASGI workers."""
    if state["pid"] is None:  # the starting process was killed before it knew the PID
        return next((one for one in family(state["scratch"]) if _is_front_end(one, state["scratch"])), None)
    try:
        process = psutil.Process(state["pid"])
    except psutil.Error:
        return None
    return process if _is_front_end(process, state["scratch"]) else None


def _mend(settings: ServerSettings, error: ValueError) -> State | None:
    """Rebuilds a damaged state from the running processes. The settings of their start stay unknown."""
    told, folder = f"{state_file(settings.folder)}: {error}", str(settings.folder.resolve())
    for _, environment in _environments():
        if environment.get(FOLDER) == folder:
            state: State = {"pid": None, "scratch": environment["TMPDIR"], "started_with": None, "loaded": {}}
            write(settings, state)
            print(f"{told}: rebuilt for the server that runs here", file=sys.stderr, flush=True)
            return state
    forget(settings)
    print(f"{told}: removed, because no server of this folder runs", file=sys.stderr, flush=True)
    return None


def _environments() -> Iterator[tuple[psutil.Process, dict[str, str]]]:
    for process in psutil.process_iter():
        try:
            environment = process.environ()
        except (psutil.Error, OSError):  # it has just ended, or belongs to another user
            continue
        yield process, environment


def _is_front_end(process: psutil.Process, scratch: str) -> bool:
    try:
        return bool(_FRONT_ENDS & {*process.cmdline()}) and process.environ().get("TMPDIR") == scratch
    except (psutil.Error, OSError):
        return False
