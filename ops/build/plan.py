"""Which version a verb works with, and whether it must be trained first. This module writes nothing."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from ops.build.recipe import Recipe, describe_files
from ops.build.shelf import Shelf, VersionError, check_name

DEMO = "build/demo"
PRESET = "default"
TRAIN = "train"
# The variables that say what to train; a version's recipe contains them.
TRAINING = ("DATA", "PRESET", "TRAIN_ARGS", "CLUSTER")


@dataclass(frozen=True)
class Plan:
    """`recipe` says how to train the version; None if the version exists. `note` is for the user."""

    version: str
    recipe: Recipe | None = None
    note: str | None = None


def plan_training(asked: Mapping[str, str], shelf: Shelf, verb: str) -> Plan:
    """The version for a verb that needs a trained one.

    asked: the given variables. `VERSION` names the version; without it, it is the default. If data or options differ
    from those of the default, it is an earlier version that was made from them, or else the next free name.

    Raises:
        VersionError: the version of `VERSION` exists and was made from something else.
        FileNotFoundError: the data does not exist.
    """
    named = asked.get("VERSION")
    version = check_name(named or shelf.default())
    training = {name: asked[name] for name in TRAINING if name in asked}
    if not training and _is_there(shelf, version, verb):
        return Plan(version)
    if not training and shelf.is_taken(version):
        raise VersionError(_gone(shelf, version, verb, named is not None))
    wanted = _wanted(training, shelf, version)
    for candidate in [version] if named else [version, *shelf.trained()]:
        recipe = shelf.recipe(candidate)
        if recipe is not None and recipe.is_same(wanted):
            return Plan(candidate, note=f"version {candidate} was already made from exactly this")
    if not shelf.is_taken(version):
        return Plan(version, wanted)
    free = shelf.next_free(version)
    told = _differs(shelf, version, wanted)
    if named:
        way = f"`make {verb} {_given(training)} VERSION={free}`"
        raise VersionError(f"{told}, and a version is never replaced: choose another name: {way}")
    return Plan(free, wanted, f"{told}; this is version {free}")


def _is_there(shelf: Shelf, version: str, verb: str) -> bool:
    """Whether the verb can work with the existing files of the version. An archive alone is enough to serve."""
    servable = verb in ("serve", "run", "package") and shelf.archive(version).is_file()
    return shelf.artifact(version).is_file() or servable


def _gone(shelf: Shelf, version: str, verb: str, named: bool) -> str:
    lost = shelf.artifact(version) if shelf.archive(version).is_file() else shelf.archive(version)
    free = shelf.next_free(version)
    return (
        f"{lost} is missing, and no other model may get the name {version}: restore the file, or "
        f"{'choose another name' if named else 'name a new version'}: `make {verb} VERSION={free}`"
    )


def trained_recipe(shelf: Shelf, version: str) -> Recipe | None:
    """The recipe of the version's training; for an updated or renamed version, that of its base. None if unknown."""
    seen = set()
    while version not in seen:
        seen.add(version)
        recipe = shelf.recipe(version)
        if recipe is None or recipe.made_by == TRAIN:
            return recipe
        if "FROM" not in recipe.options:  # its network was trained elsewhere
            return None
        version = recipe.options["FROM"]
    return None


def _wanted(training: Mapping[str, str], shelf: Shelf, version: str) -> Recipe:
    """The requested recipe. A variable that was not given comes from the version itself, or else from the default."""
    made = trained_recipe(shelf, version) or trained_recipe(shelf, shelf.default())
    before = dict(made.options) if made is not None else {}
    if "DATA" in training and training["DATA"] != before.get("DATA"):
        for name in ("TRAIN_ARGS", "CLUSTER"):  # columns of other data, and a way for so many ratings
            before.pop(name, None)
    options = {"DATA": DEMO, "PRESET": PRESET, "TRAIN_ARGS": "", **before, **training}
    return Recipe(TRAIN, options, describe_files(options["DATA"], options["TRAIN_ARGS"], made))


def _differs(shelf: Shelf, version: str, wanted: Recipe) -> str:
    """Describes how an existing version was made, because it differs from the requested one."""
    made = shelf.recipe(version)
    if made is None:
        return f"version {version} was made elsewhere"
    if made.made_by == TRAIN and dict(made.options) == dict(wanted.options):
        return f"version {version} was trained on {made.options['DATA']} before its files changed"
    options = {name: value for name, value in made.options.items() if value}
    return f"version {version} was made by `make {made.made_by} {_given(options)}`"


def _given(training: Mapping[str, str]) -> str:
    return " ".join(f"{name}={shlex.quote(value)}" for name, value in training.items())
