"""`python -m ops.versions.status`: shows the server and its addresses, the versions, their workers, the last error.

The exit status is 0 if a server runs, 3 if none does, and 1 if the status cannot be read.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from handler.front_end import WAITING, has_plugin
from ops import auth
from ops.client import Client, ClientError
from ops.command import failing_in_one_line
from ops.process import console, server
from ops.process.locks import supervisor
from ops.process.state import ServerError
from ops.settings import TITLES, ServerSettings, read_settings
from ops.store.record import read_record
from ops.versions.table import versions_table

NOT_RUNNING = 3


def status(settings: ServerSettings) -> tuple[int, list[str]]:
    """The exit status, and the lines to print.

    Raises:
        ValueError: the record of the model store is damaged.
    """
    pid, started = server.running(settings), server.settings_as_started(settings)
    if pid is None or started is None:
        return NOT_RUNNING, list(_stopped(settings))
    return 0, list(_running(started, pid))


def _stopped(settings: ServerSettings) -> Iterator[str]:
    yield f"No server of this folder runs. `make serve` starts one at {settings.inference}."
    default = read_record(settings.model_store).default
    if default is not None:
        yield f"The next start serves version {default}."
    yield from _last_error(settings)


def _running(settings: ServerSettings, pid: int) -> Iterator[str]:
    minutes = (time.time() - psutil.Process(pid).create_time()) / 60
    title = TITLES[settings.server]
    yield f"{title[0].upper()}{title[1:]} has been running for {minutes:.0f} min, PID {pid}{_watched(settings)}."
    yield f"  predictions  {settings.inference}/predictions/ncf"
    yield f"  management   {settings.management}"
    if settings.metrics is not None:
        yield f"  metrics      {settings.metrics}/metrics"
    yield f"  tokens       {'required (AUTH=on)' if auth.is_on(settings) else 'off'}"
    if has_plugin(pid) is False:
        yield f"Warning: {WAITING}."
    try:
        yield versions_table(Client(settings, timeout_s=5.0), settings)
    except ClientError as error:
        yield f"It does not list its versions: {error}"
    yield from _last_error(settings)


def _watched(settings: ServerSettings) -> str:
    watcher = supervisor(settings)
    return f", watched by the supervisor, PID {watcher}" if watcher is not None else ""


def _last_error(settings: ServerSettings) -> Iterator[str]:
    error = console.last_error(settings)
    yield f"Last error in the log: {error}" if error is not None else "No error in the log."


def main(arguments: list[str] | None = None) -> None:
    """Prints the status."""
    parser = argparse.ArgumentParser(prog="python -m ops.versions.status", description=__doc__.splitlines()[0])
    parser.parse_args(arguments)
    with failing_in_one_line("status", (ServerError, ValueError, OSError), "status: interrupted"):
        code, lines = status(read_settings(Path("config.properties"), Path.cwd(), starting=True))
        print("\n".join(lines))
        sys.exit(code)


if __name__ == "__main__":
    main()
