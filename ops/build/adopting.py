"""The verb `adopt`: makes a version from a network that was trained elsewhere."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from ops.build import commands
from ops.build.recipe import FileMark, Recipe, describe_files, write_recipe
from ops.build.shelf import Shelf, VersionError, check_name, making
from ops.build.verbs import clear_folder, pack, refuse_taken, say
from ops.undo import undone_on_failure

NEEDED = ("MODEL", "USERS", "MOVIES")
_OPTIONS = (*NEEDED, "MODULE", "MODULE_ARGS", "OUTPUT", "SCALE", "VECTORS", "RATINGS", "ITEM", "TAGS", "ADOPT_ARGS")
_FIRST = "own-1"


def adopt(asked: Mapping[str, str], shelf: Shelf) -> str:
    """Makes a version from the network `MODEL` with its ids `USERS` and `MOVIES`, and packs it; returns its name.

    Raises:
        VersionError: a file is missing, or a version made from something else has this name.
        CommandError: the network cannot be adopted; nothing is left of it.
    """
    options = {name: asked.get(name, "") for name in _OPTIONS}
    options["MOVIES"] = asked.get("ITEMS") or options["MOVIES"]
    _refuse_missing(options)
    recipe = Recipe("adopt", options, _files(options))
    version = check_name(asked.get("VERSION") or shelf.made_alike(recipe) or _free(shelf))
    made = shelf.recipe(version)
    if made is None or not made.is_same(recipe):
        refuse_taken(version, shelf, "adopt", _given(options))
        with making(shelf.folder(version)), undone_on_failure() as undo:
            kept = set(shelf.folder(version).iterdir())
            undo.add(f"clear {shelf.folder(version)}", lambda: clear_folder(shelf.folder(version), kept))
            commands.adopt(options, version, shelf.folder(version))
            write_recipe(shelf.folder(version), recipe)
    else:
        say(f"version {version} was already made from exactly this")
    pack(version, shelf)
    say(f"`make serve VERSION={version}` serves it; `make register VERSION={version}` adds it to a running server")
    return version


def _refuse_missing(options: Mapping[str, str]) -> None:
    lacking = [name for name in NEEDED if not options[name]]
    if lacking:
        way = '`make adopt MODEL=net.pt USERS=users.csv MOVIES=movies.csv SCALE="1 5"`'
        raise VersionError(f"{lacking[0]}: give the file: {way}; docs/own-model.md explains it")
    for name in (*NEEDED, "RATINGS"):
        if options[name] and not Path(options[name]).exists():
            raise VersionError(f"{name}: {options[name]}: no such file")


def _files(options: Mapping[str, str]) -> dict[str, FileMark]:
    """The files that the adoption reads."""
    named = [options["USERS"], options["MOVIES"], options["MODULE"].rpartition(":")[0]]
    words = shlex.join(name for name in named if name)
    files = describe_files(Path(options["MODEL"]), f"{words} {options['ADOPT_ARGS']}", None)
    return files | (describe_files(Path(options["RATINGS"]), "", None) if options["RATINGS"] else {})


def _free(shelf: Shelf) -> str:
    """own-1, or the next free name."""
    return shelf.next_free(_FIRST) if shelf.is_taken(_FIRST) else _FIRST


def _given(options: Mapping[str, str]) -> str:
    return " ".join(f"{name}={shlex.quote(value)}" for name, value in options.items() if value)
