"""The verbs that run or delete versions: serve, run, clean."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress

from ops.build.packed import edited_since_packed, way_to_pack_anew
from ops.build.shelf import Shelf, VersionError
from ops.build.verbs import package
from ops.process.preflight import check_installed
from ops.process.serve import serve_and_show, stop
from ops.settings import ServerSettings
from ops.variables import is_yes


def serve(asked: Mapping[str, str], shelf: Shelf, settings: ServerSettings) -> None:
    """Trains and packs if necessary, and makes a server run in the background with the version as the default."""
    check_installed(settings)
    _refuse_lost_store(asked, shelf, settings, "serve")
    version = package(asked, shelf, "serve")
    _say_if_changed(version, shelf)
    serve_and_show(settings, version, asked.get("AUTH") or None)


def run(asked: Mapping[str, str], shelf: Shelf, settings: ServerSettings) -> None:
    """The same in the foreground: this process becomes the supervisor."""
    check_installed(settings)
    _refuse_lost_store(asked, shelf, settings, "run")
    version = package(asked, shelf, "run")
    words = [sys.executable, "-m", "ops.process.supervise", "--version", version]
    words += ["--auth", asked["AUTH"]] if asked.get("AUTH") else []
    sys.stdout.flush()
    os.execv(words[0], words)  # noqa: S606  our own words, and no shell


def clean(asked: Mapping[str, str], shelf: Shelf, settings: ServerSettings) -> None:
    """Stops the server and removes all generated files except the environment; versions only with `FORCE=1`.

    Raises:
        VersionError: there are versions, and `FORCE=1` was not given.
    """
    lost = [*(str(shelf.artifact(version)) for version in shelf.trained()), *map(str, shelf.packed())]
    if lost and not is_yes(asked.get("FORCE")):
        listed = "\n  ".join(lost)
        raise VersionError(f"this would delete\n  {listed}\nnothing was deleted: `make clean FORCE=1` deletes them")
    if stop(settings):
        print("stopped the server")
    for path in (shelf.build, shelf.store, settings.folder / "logs", settings.folder / ".run"):
        shutil.rmtree(path, ignore_errors=True)
    with suppress(FileNotFoundError):
        (settings.folder / "key_file.json").unlink()


def _refuse_lost_store(asked: Mapping[str, str], shelf: Shelf, settings: ServerSettings, verb: str) -> None:
    """Refuses a store without a record if a version was served before: it may not be mounted, or be another store."""
    noted = settings.folder / ".run" / "default"
    if asked.get("VERSION") or (shelf.store / "versions").exists() or not noted.exists():
        return
    served = noted.read_text().strip()
    told = f"{shelf.store / 'versions'} is missing, and version {served} was served from there"
    way = f"`make {verb} VERSION={served}`"
    raise VersionError(f"{told}: restore the model store, or name a version to start a new one: {way}")


def _say_if_changed(version: str, shelf: Shelf) -> None:
    """Reports edits of code or settings after packing, because a version runs what it was packed with."""
    edited = edited_since_packed(version, shelf)
    if edited is not None:
        told = f"version {version} was packed with another {edited}, and is served with that one"
        print(f"{told}: {way_to_pack_anew(version, shelf)}", file=sys.stderr)
