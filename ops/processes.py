"""Which processes are the server's, and what it was started with: `.run/server.json`.

The name of the server's temporary folder stands in the environment of each of its processes, the front end (JVM) and
every worker: so they are found whichever of them was killed, and no other server's are taken for them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil

from ops.settings import ServerSettings

State = dict[str, Any]


def read_state(settings: ServerSettings) -> State | None:
    """What was noted of the server that this folder started last; None where it was stopped."""
    try:
        state: State = json.loads(_path(settings).read_text())
    except FileNotFoundError:
        return None
    return state


def write_state(settings: ServerSettings, state: Mapping[str, Any]) -> None:
    """Notes `state` in one step: whoever is killed here leaves the old one or the new one."""
    _path(settings).parent.mkdir(exist_ok=True)
    partial = _path(settings).with_name(f".server.json.{os.getpid()}")
    partial.write_text(json.dumps(state))
    partial.replace(_path(settings))


def forget_state(settings: ServerSettings) -> None:
    """Notes that there is no server."""
    _path(settings).unlink(missing_ok=True)


def family(scratch: str) -> Iterator[psutil.Process]:
    """Every process of the server whose temporary folder this is."""
    for process in psutil.process_iter():
        try:
            if process.environ().get("TMPDIR") == scratch:
                yield process
        except (psutil.Error, OSError):  # it has just ended, or is another user's
            continue


def front_end(state: State) -> psutil.Process | None:
    """The server's JVM, if it still runs."""
    if state["pid"] is None:  # whoever started it was killed before its PID was known
        return next((one for one in family(state["scratch"]) if _is_front_end(one, state["scratch"])), None)
    try:
        process = psutil.Process(state["pid"])
    except psutil.Error:
        return None
    return process if _is_front_end(process, state["scratch"]) else None


def _is_front_end(process: psutil.Process, scratch: str) -> bool:
    try:
        return "org.pytorch.serve.ModelServer" in process.cmdline() and process.environ().get("TMPDIR") == scratch
    except (psutil.Error, OSError):
        return False


def _path(settings: ServerSettings) -> Path:
    return settings.folder / ".run" / "server.json"
