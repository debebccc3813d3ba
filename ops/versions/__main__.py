"""Versions of a running server: `python -m ops.versions list|register|promote|rollback|unregister [--version V]`."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Iterator
from pathlib import Path

from ops.client import Client, ClientError
from ops.command import failing_in_one_line
from ops.process.loaded import is_as_loaded
from ops.process.locks import only_verb
from ops.settings import ServerSettings, read_settings
from ops.store.record import read_record
from ops.versions.rollback import is_down, roll_back_start
from ops.versions.rollout import Rollout, RolloutError


def show(client: Client, settings: ServerSettings) -> str:
    """The versions as a table, and below it what a restart would serve otherwise."""
    lines = [f"{'version':12}{'default':10}workers"]
    for one in client.versions():
        workers = ", ".join(f"{worker['id']} {worker['status']}" for worker in one["workers"]) or "none"
        lines.append(f"{one['version']:12}{'yes' if one['default'] else '':10}{workers}")
    return "\n".join([*lines, *differences(client, settings)])


def differences(client: Client, settings: ServerSettings) -> Iterator[str]:
    """Changes that went past these verbs, so that a restart undoes them, or serves what nobody has tried."""
    versions, record = client.versions(), read_record(settings.model_store)
    for one in versions:
        if one["default"] and one["version"] != record.default:
            told = f"the default is {one['version']}, a restart serves {record.default or 'none'}"
            yield f"{told}: `make promote VERSION={one['version']}` records it"
    here, recorded = {one["version"] for one in versions}, {*record.registered, *record.defaults[-1:]}
    yield from (f"version {name} is registered, a restart leaves it out" for name in sorted(here - recorded))
    yield from (f"version {name} is not registered, a restart brings it back" for name in sorted(recorded - here))
    for name in sorted(here):
        if is_as_loaded(settings, name) is False:
            yield f"the archive of version {name} is another than the one that was loaded, a restart serves that"


def change(verb: str, version: str, client: Client, settings: ServerSettings) -> bool:
    """Does one of the verbs that change something; returns whether there is a server that it was done to.

    Raises:
        RolloutError, ClientError, ValueError: it was not done; the message says why.
    """
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
    """Does one of the verbs."""
    parser = argparse.ArgumentParser(prog="python -m ops.versions", description=__doc__)
    parser.add_argument("verb", choices=("list", "register", "promote", "rollback", "unregister"))
    parser.add_argument("--version", default="1.0")
    parser.add_argument("--config", type=Path, default=Path("config.properties"))
    options = parser.parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):  # what was begun is taken back, as it is after a Ctrl-C
        signal.signal(number, signal.default_int_handler)
    interrupted = "versions: interrupted; `make versions` tells what was done"
    with failing_in_one_line("versions", (RolloutError, ClientError, ValueError, OSError), interrupted):
        settings = read_settings(options.config, Path.cwd())
        client = Client(settings)
        if options.verb == "list" or change(options.verb, options.version, client, settings):
            print(show(client, settings))


if __name__ == "__main__":
    main()
