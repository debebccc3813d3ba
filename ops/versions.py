"""Versions of a running server: `python -m ops.versions list|register|promote|unregister [--version V]`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from ops import server
from ops.client import REGISTER_TIMEOUT_S, Client, ClientError
from ops.manifest import check_archive
from ops.settings import ServerSettings, read_settings
from ops.store import archive_path, start_with


def show(client: Client) -> str:
    """The versions as a table."""
    lines = [f"{'version':12}{'default':10}workers"]
    for one in client.versions():
        workers = ", ".join(f"{worker['id']} {worker['status']}" for worker in one["workers"]) or "none"
        lines.append(f"{one['version']:12}{'yes' if one['default'] else '':10}{workers}")
    return "\n".join(lines)


def register(client: Client, settings: ServerSettings, version: str, timeout_s: float = REGISTER_TIMEOUT_S) -> None:
    """Registers a version beside the others and waits until it answers; what does not is removed again.

    Raises:
        ClientError: there is no such archive, the server refused, or no worker got ready in time.
        ManifestError: the archive is not what its manifest says; the server was not asked.
    """
    if not archive_path(settings.model_store, version).is_file():
        raise ClientError(
            f"{archive_path(settings.model_store, version)}: no such archive: make package VERSION={version}"
        )
    check_archive(archive_path(settings.model_store, version))
    others = [len(one["workers"]) for one in client.versions() if one["default"]]
    print(f"registering version {version} and waiting for its workers ...", flush=True)
    client.register(version, workers=max(1, *others))  # as many as the default has: it is to take its place
    deadline = time.monotonic() + timeout_s
    while not client.is_ready(version=version):
        if time.monotonic() > deadline:
            client.unregister(version)
            raise ClientError(f"version {version}: no worker was ready after {timeout_s:.0f} s; it was removed again")
        time.sleep(0.1)
    server.note_loaded(settings, version)


def unregister(client: Client, version: str) -> None:
    """Removes a version, unless it is the only one: a server without a version answers nobody.

    Raises:
        ClientError: it is the only one, or the default, or there is none such.
    """
    if [one["version"] for one in client.versions()] == [version]:
        raise ClientError(f"version {version} is the only one: register another first, or `make stop`")
    client.unregister(version)


def promote(client: Client, settings: ServerSettings, version: str) -> None:
    """Makes a version the default, now and at the next start."""
    client.promote(version)
    start_with(settings.model_store, version)


def main(arguments: list[str] | None = None) -> int:
    """Does one of the verbs; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ops.versions", description=__doc__)
    parser.add_argument("verb", choices=("list", "register", "promote", "unregister"))
    parser.add_argument("--version", default="1.0")
    parser.add_argument("--config", type=Path, default=Path("config.properties"))
    options = parser.parse_args(arguments)
    try:
        settings = read_settings(options.config, Path.cwd())
        client = Client(settings)
        if options.verb == "register":
            register(client, settings, options.version)
        elif options.verb == "promote":
            promote(client, settings, options.version)
        elif options.verb == "unregister":
            unregister(client, options.version)
        print(show(client))
    except (ClientError, ValueError, OSError) as error:
        print(f"versions: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
