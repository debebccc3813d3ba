"""The verbs that make versions: train, package, update, report. They never replace a version."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from ops.build import commands
from ops.build.database import is_url, with_options
from ops.build.packed import edited_since_packed, way_to_pack_anew
from ops.build.plan import DEMO, TRAINING, Plan, plan_training, trained_recipe
from ops.build.recipe import MADE_OF, Recipe, describe_files, write_recipe
from ops.build.shelf import CANARY, LOCK, VERDICT, Shelf, VersionError, check_name, making
from ops.store.archives import start_version, start_with
from ops.undo import undone_on_failure
from ops.variables import is_yes

# Files of a version's folder that are not copied when the same artifact gets another name.
_OF_ONE_NAME = (MADE_OF, LOCK, VERDICT, CANARY)


def train(asked: Mapping[str, str], shelf: Shelf, verb: str = "train") -> str:
    """Trains a version, or finds an existing one that was made from exactly this; returns its name.

    Raises:
        VersionError: a version made from something else has this name.
        CommandError: the training failed; no version was made.
    """
    asked = with_options(asked, "DATA", "TRAIN_ARGS")
    prepare_demo(asked)
    plan = plan_training(asked, shelf, verb)
    if plan.note:
        say(plan.note)
    if plan.recipe is not None:
        _train(plan, plan.recipe, shelf, asked)
    elif verb == "train" and not plan.note:
        say(f"version {plan.version} already exists: {shelf.artifact(plan.version)}")
    return plan.version


def package(asked: Mapping[str, str], shelf: Shelf, verb: str = "package") -> str:
    """Trains if necessary, and packs the version unless its archive exists; returns its name.

    With `FROM`, it packs the artifact of that version under the new name, with the present code and settings. A new
    name alone trains nothing, because it may be a slip; only `serve` and `run` may name their first version.

    Raises:
        VersionError: there is no such version and nothing says what to train, or an archive of another model, or with
            other code or settings, has this name.
        CommandError: training or packing failed.
    """
    how = with_options(asked, "DATA", "TRAIN_ARGS")
    if not any(how.get(name) for name in ("FROM", *TRAINING)) and (verb == "package" or shelf.versions()):
        refuse_unknown(asked, shelf)
    version = _rename(asked, shelf) if asked.get("FROM") else train(asked, shelf, verb)
    edited = edited_since_packed(version, shelf) if verb == "package" else None
    if edited is not None:
        told = f"{shelf.archive(version)} was packed with another {edited}, and a version is never replaced"
        raise VersionError(f"{told}: {way_to_pack_anew(version, shelf)}")
    pack(version, shelf)
    return version


def pack(version: str, shelf: Shelf, beside: bool = False) -> None:
    """Packs a version's artifact, unless its archive already contains it.

    beside: never make the archive the one that a start serves, even if it is the first one.

    Raises:
        VersionError: the archive contains another artifact.
    """
    archive = shelf.archive(version)
    if archive.is_file():
        if shelf.artifact(version).is_file() and not shelf.holds_artifact(version):
            told = f"{archive} contains another model than {shelf.artifact(version)}; a version is never replaced"
            way = f"`make package VERSION={shelf.next_free(version)} FROM={version}`"
            raise VersionError(f"{told}: {way} packs the latter")
        if not beside:
            say(f"{archive} already exists")
    else:
        with making(shelf.folder(version)):
            commands.package(shelf.artifact(version), version, shelf.store)
    if start_version(shelf.store) is None and not beside:
        start_with(shelf.store, version)


def update(asked: Mapping[str, str], shelf: Shelf) -> str:
    """Makes a new version from version `FROM` and new ratings, and packs it; returns its name.

    Raises:
        VersionError: `RATINGS` is missing, the base does not exist, or the name is taken.
        CommandError: the update failed; nothing is left of it.
    """
    asked = with_options(asked, "RATINGS", "UPDATE_ARGS")
    if not asked.get("RATINGS"):
        raise VersionError("RATINGS: give a folder or file of new ratings: `make update RATINGS=new.csv`")
    base = check_name(asked.get("FROM") or shelf.default())
    shelf.check_artifact(base)
    options = {"FROM": base, "RATINGS": asked["RATINGS"], "UPDATE_ARGS": asked.get("UPDATE_ARGS", "")}
    files = describe_files(options["RATINGS"], options["UPDATE_ARGS"], None)
    recipe = Recipe("update", options, files)
    may_differ = is_url(options["RATINGS"])  # a database may have new rows each time
    alike = None if may_differ else shelf.made_alike(recipe)
    version = check_name(asked.get("VERSION") or alike or shelf.next_free(base))
    made = shelf.recipe(version)
    if made is None or not made.is_same(recipe) or may_differ:
        refuse_taken(version, shelf, "update", f"RATINGS={asked['RATINGS']} FROM={base}")
        with making(shelf.folder(version)), undone_on_failure() as undo:
            kept = set(shelf.folder(version).iterdir())
            undo.add(f"clear {shelf.folder(version)}", lambda: clear_folder(shelf.folder(version), kept))
            commands.update(options, shelf.artifact(base), version, shelf.folder(version))
            write_recipe(shelf.folder(version), recipe)
    else:
        say(f"version {version} was already made from exactly this")
    pack(version, shelf, beside=True)
    return version


def report(asked: Mapping[str, str], shelf: Shelf) -> str:
    """Writes the report on a version, and returns its name. It trains only if there is no version.

    With `WITH`, the report includes the verdict against that version, which `compare` wrote into the folder before.
    """
    refuse_unknown(asked, shelf)
    if asked.get("WITH"):  # DATA is what the two are compared on
        asked = {name: value for name, value in asked.items() if name != "DATA"}
    version = train(asked, shelf, "report")
    recipe = trained_recipe(shelf, version)
    verdict = shelf.folder(version) / VERDICT if asked.get("WITH") else None
    data = recipe.options["DATA"] if recipe else None
    commands.report(shelf.folder(version), data, verdict, asked.get("REPORT_ARGS", ""))
    return version


def _train(plan: Plan, recipe: Recipe, shelf: Shelf, asked: Mapping[str, str]) -> None:
    folder = shelf.folder(plan.version)
    told = " ".join(f"{name}={value}" for name, value in recipe.options.items() if value)
    say(f"training version {plan.version}: {told}")
    with making(folder):
        if shelf.artifact(plan.version).is_file():  # another verb made it after this verb looked
            raise VersionError(f"version {plan.version} was made just now: run the verb again")
        commands.train(recipe, plan.version, folder, asked.get("PROCESSES"), is_yes(asked.get("RESUME")))
        write_recipe(folder, recipe)


def _rename(asked: Mapping[str, str], shelf: Shelf) -> str:
    """Copies the artifact to another version's name."""
    base = check_name(asked["FROM"])
    version = check_name(asked.get("VERSION") or shelf.next_free(base))
    shelf.check_artifact(base)
    recipe = Recipe("package", {"FROM": base}, describe_files(shelf.artifact(base), "", None))
    made = shelf.recipe(version)
    if made is not None and made.is_same(recipe):
        return version
    refuse_taken(version, shelf, "package", f"FROM={base}")
    with making(shelf.folder(version)), undone_on_failure() as undo:
        kept = set(shelf.folder(version).iterdir())
        undo.add(f"clear {shelf.folder(version)}", lambda: clear_folder(shelf.folder(version), kept))
        for path in shelf.folder(base).iterdir():
            if path.is_file() and path.name not in _OF_ONE_NAME and path != shelf.artifact(base):
                shutil.copy2(path, shelf.folder(version))
        write_recipe(shelf.folder(version), recipe)
        shutil.copy2(
            shelf.artifact(base), shelf.artifact(version)
        )  # last, because the version exists once its artifact does
    return version


def refuse_unknown(asked: Mapping[str, str], shelf: Shelf) -> None:
    """Refuses a VERSION that does not exist, for verbs that read one. Without VERSION, the verb may train the first."""
    version = asked.get("VERSION")
    if version and not shelf.is_taken(version):
        known = ", ".join(shelf.versions()) or "none yet"
        raise VersionError(f"VERSION: got {version}, allowed: {known}; `make train VERSION={version}` trains it")


def refuse_taken(version: str, shelf: Shelf, verb: str, given: str) -> None:
    """Raises VersionError if a version already has this name. given: the variables of the verb, for the advice."""
    if shelf.is_taken(version):
        told = f"VERSION: {version} already exists, and a version is never replaced"
        raise VersionError(f"{told}: choose another name: `make {verb} {given} VERSION={shelf.next_free(version)}`")


def prepare_demo(asked: Mapping[str, str]) -> None:
    """Writes the embedded data set if DATA names it or is not given, and if it does not exist yet."""
    is_asked = not asked.get("DATA") or Path(asked["DATA"]) == Path(DEMO)
    if is_asked and not (Path(DEMO) / "rates.csv").is_file():
        commands.demo(Path(DEMO))


def clear_folder(folder: Path, kept: Collection[Path]) -> None:
    """Removes the files that a failed verb left in a folder. `kept`: the files that existed before."""
    for path in folder.iterdir():
        if path.is_file() and path not in kept:
            path.unlink()


def say(text: str) -> None:
    """Prints a line for the user on standard error."""
    print(text, file=sys.stderr, flush=True)
