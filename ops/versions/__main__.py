"""Versions of a running server: `python -m ops.versions list|register|promote|rollback|unregister [--version V]`."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from ops.client import Client, ClientError
from ops.command import failing_in_one_line
from ops.process.locks import only_verb
from ops.settings import ASGI, ServerSettings, read_settings
from ops.versions.checks import RolloutError
from ops.versions.rollback import is_down, roll_back_start
from ops.versions.rollout import Rollout
from ops.versions.table import versions_table


def change(verb: str, version: str, client: Client, settings: ServerSettings) -> bool:
    """Runs one of the verbs that change versions; returns whether it changed a running server.

    Raises:
        RolloutError, ClientError, ValueError: the change failed; the message says why.
    """
    if settings.server == ASGI:
        told = "the ASGI server cannot change its versions while it runs"
        raise RolloutError(f"{told}: `make serve VERSION=1.1` serves another version instead")
    rollout = Rollout(client, settings)
    with only_verb(settings, verb if verb == "rollback" else f"{verb} {version}"):
        if verb == "register":
            print(f"registering version {version}, waiting for its workers, comparing its answers ...", flush=True)
            rollout.register(version)
        elif verb == "promote":
            rollout.promote(version)
        elif verb == "unregister":
            rollout.unregister(version)
        elif is_down(client, settings):
            print(f"no server runs here: the next start serves version {roll_back_start(settings.model_store)}")
            return False
        else:
            print(f"rolled back to version {rollout.rollback()}")
    return True


def main(arguments: list[str] | None = None) -> None:
    """Runs one of the verbs."""
    parser = argparse.ArgumentParser(prog="python -m ops.versions", description=__doc__)
    parser.add_argument("verb", choices=("list", "register", "promote", "rollback", "unregister"))
    parser.add_argument("--version", help="the version to register, promote or unregister")
    parser.add_argument("--config", type=Path, default=Path("config.properties"))
    options = parser.parse_args(arguments)
    if options.version is None and options.verb in ("register", "promote", "unregister"):
        sys.exit(f"{options.verb}: VERSION: name one: `make {options.verb} VERSION=1.1`")
    for number in (signal.SIGTERM, signal.SIGHUP):  # undo what was begun, as after a Ctrl-C
        signal.signal(number, signal.default_int_handler)
    interrupted = "versions: interrupted; `make versions` shows the present state"
    with failing_in_one_line("versions", (RolloutError, ClientError, ValueError, OSError), interrupted):
        settings = read_settings(options.config, Path.cwd())
        client = Client(settings)
        if options.verb == "list" or change(options.verb, options.version, client, settings):
            print(versions_table(client, settings))


if __name__ == "__main__":
    main()
