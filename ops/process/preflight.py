"""Checks that detect a start that would fail. They run before the running server is stopped."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress
from importlib.util import find_spec

import psutil

from ops import auth
from ops.process.state import ServerError
from ops.settings import ASGI, SERVER, TORCHSERVE, ServerSettings
from ops.store.archives import archive_path, start_archive, versions_to_start
from ops.store.digests import DigestError, check_archive

# The layouts of handler/log4j2.xml.
LOG_FORMATS = ("text", "json")


def log_format() -> str:
    """The format of the log: LOG_FORMAT in the environment.

    Raises:
        ServerError: LOG_FORMAT has another value than the allowed ones.
    """
    wanted = os.environ.get("LOG_FORMAT", "text")
    if wanted not in LOG_FORMATS:
        raise ServerError(f"LOG_FORMAT: got {wanted!r}, allowed: {', '.join(LOG_FORMATS)}")
    return wanted


def check_installed(settings: ServerSettings) -> None:
    """Checks that the packages of the chosen server are here.

    Raises:
        ServerError: they are missing; the message says how to get them, or which server to choose.
    """
    if settings.server == TORCHSERVE and find_spec("ts") is None:
        told = f"TorchServe is not installed in {sys.prefix}, and make installs it on Python 3.11 to 3.13 only"
        raise ServerError(f"{told}: give {SERVER}={ASGI} for the ASGI server, which needs neither it nor Java")
    if settings.server == ASGI and (find_spec("uvicorn") is None or find_spec("prometheus_client") is None):
        advice = "`.venv/bin/python -m pip install -c constraints.txt --group asgi` installs them"
        raise ServerError(f"{SERVER}={ASGI}: the packages of the group asgi are missing: {advice}")


def check_server(settings: ServerSettings) -> None:
    """Checks that the chosen server can run here.

    Raises:
        ServerError: its packages are missing, or it is the ASGI server and keys are required.
    """
    check_installed(settings)
    if settings.server == ASGI and auth.is_on(settings):
        raise ServerError("AUTH=on: the ASGI server cannot check keys: give AUTH=off, and let nginx check them")


def check_addresses(settings: ServerSettings, running: int | None = None) -> None:
    """Checks that the addresses are free. `running`: the PID of a server that will be stopped and frees its own.

    Raises:
        ServerError: another program listens at one of them.
    """
    own = _listening(running) if running is not None else set()
    for host, port in settings.listens:
        if port in own:
            continue
        try:
            socket.create_server((host, port)).close()
        except OSError as error:
            holder = _holder(port)
            told = f"{host}:{port} is not free ({error.strerror}{holder})"
            advice = f"stop that program, choose other ports (`make serve PORT=9090`), or change {settings.config}"
            raise ServerError(f"{told}: {advice}") from error


def _listening(pid: int) -> set[int]:
    """The ports on which a process listens; empty if it has just ended."""
    try:
        connections = psutil.Process(pid).net_connections("tcp")
    except psutil.Error:
        return set()
    return {connection.laddr.port for connection in connections if connection.status == psutil.CONN_LISTEN}


def _holder(port: int) -> str:
    """The process that listens on a port, if this user is allowed to see it."""
    try:
        connections = psutil.net_connections("tcp")
    except (psutil.Error, OSError):
        return ""
    for one in connections:
        if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port and one.pid is not None:
            with suppress(psutil.Error):
                return f", held by {psutil.Process(one.pid).name()}, PID {one.pid}"
    return ""


def whole_versions(settings: ServerSettings) -> list[str]:
    """The versions to start with: the default, and the others whose archives pass the check. Names those left out.

    Raises:
        ServerError: the default's archive does not pass.
    """
    versions = versions_to_start(settings.model_store)
    if not versions:  # no verb was used in this folder, but it may contain a user's own archive
        if not start_archive(settings.model_store).is_file():
            advice = "run `make package`, or restore the model store"
            raise ServerError(f"{start_archive(settings.model_store)}: no such archive: {advice}")
        return []
    default, *others = versions
    check_version(settings, default)
    whole = [default]
    for version in others:
        try:
            check_version(settings, version)
            whole.append(version)
        except ServerError as error:
            print(f"starting without version {version}: {error}", file=sys.stderr, flush=True)
    return whole


def check_version(settings: ServerSettings, version: str) -> None:
    """Checks a version's archive, because TorchServe would also start without one.

    Raises:
        ServerError: the archive is missing, or differs from its digests.
    """
    path = archive_path(settings.model_store, version)
    if not path.is_file():
        advice = f"run `make package VERSION={version}`, or restore the model store"
        raise ServerError(f"{path}: no such archive: {advice}")
    try:
        check_archive(path)
    except (DigestError, OSError) as error:
        raise ServerError(str(error)) from error
