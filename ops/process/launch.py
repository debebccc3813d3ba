"""Launches either server in the background, in its own session, and writes its PID to the server's folder."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from model.archive import NAME
from ops import auth
from ops.frontend import warm, worker
from ops.frontend.cache import cache_option
from ops.frontend.command import front_end_command
from ops.process import state
from ops.settings import ASGI, SERVER, TORCHSERVE, ServerSettings

# The code that the ASGI server runs.
_CODE = Path(__file__).resolve().parents[2]
# TorchServe's name for this variable.
PID_FILE = ".model_server.pid"
WARM_PID_FILE = ".warm.pid"
# Starts its arguments in the background, and writes the PID of that process to the file $0.
_IN_BACKGROUND = '"$@" & echo $! > "$0"'


def launch(settings: ServerSettings, archives: Sequence[Path], scratch: Path, output: IO[bytes]) -> bool:
    """Starts the server with `scratch` as its temporary folder; True if it failed at once.

    archives: the archives to load, the default first; if there are none, it loads those that the configuration names.
    """
    environment = _environment(settings, scratch)
    if settings.server == ASGI:
        command = [sys.executable, "-m", "ops.asgi", "--config", str(settings.config)]
        return _fails(command, settings.folder, {**environment, "PYTHONPATH": str(_CODE)}, output)
    models = [f"{NAME}={archive.name}" for archive in archives]  # the first loaded archive becomes the default
    with _workers_python(settings.folder, environment, output) as (python, held):
        command = front_end_command(auth.prepare(settings), settings.folder, scratch, python, cache_option(), models)
        return _fails(command, settings.folder, environment, output, inherited=held)


@contextmanager
def _workers_python(
    folder: Path, environment: Mapping[str, str], output: IO[bytes]
) -> Iterator[tuple[Path, Sequence[int]]]:
    """What the front end should run as the Python of a worker, and the descriptors that it must hold for that.

    Starts the warm process, if this system can. That ends once the front end, which alone holds the descriptor, ended.
    """
    if not worker.can_order():
        yield Path(sys.executable), []
        return
    end, held = os.pipe()
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(environment[worker.ADDRESS])
            listener.listen()
            descriptors = [end, listener.fileno()]
            command = [sys.executable, "-P", warm.__file__, *map(str, descriptors)]
            _fails(command, folder, environment, output, pid_file=WARM_PID_FILE, inherited=descriptors)
        yield worker.PROGRAM, [held]
    finally:
        os.close(end)
        os.close(held)


def _fails(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    output: IO[bytes],
    *,
    pid_file: str = PID_FILE,
    inherited: Sequence[int] = (),
) -> bool:
    """Starts a process in the background; True if that failed at once. inherited: the descriptors that it gets."""
    done = subprocess.run(
        ["sh", "-c", _IN_BACKGROUND, str(Path(environment["TMPDIR"]) / pid_file), *command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        pass_fds=inherited,
    )
    return done.returncode != 0


def _environment(settings: ServerSettings, scratch: Path) -> dict[str, str]:
    """The environment of the server and its workers.

    It has no PYTHONPATH, so that a worker imports the code inside its archive. It has the endpoints as TorchServe's own
    variables, which `enable_envvars_config` in config.properties allows.
    """
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "TS_CONFIG_FILE")}
    kept |= {f"TS_{name.upper()}": value for name, value in settings.endpoints.items()}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    own = {"TMPDIR": str(scratch), "TEMP": str(scratch), "PATH": path}
    own[SERVER] = settings.server
    if settings.server == TORCHSERVE:
        own[worker.ADDRESS] = str(scratch / ".warm.sock")
    return {**kept, **own, state.FOLDER: str(settings.folder.resolve())}
