"""Removes old versions that a refresh made. It never touches a user's own versions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from model.archive import MODEL_CARD
from model.files import atomic_write
from ops.build.recipe import MADE_OF
from ops.build.shelf import CANARY, LOCK, PRUNED, VERDICT, Shelf
from ops.refresh.facts import facts_of
from ops.refresh.journal import REFRESHED, read_ended
from ops.store.record import read_record

# These few kilobytes stay, so that the history is complete; the archive, the models and the pictures are removed.
_STAY = {PRUNED, REFRESHED, VERDICT, LOCK, MODEL_CARD, "metrics.json", MADE_OF, CANARY}


def outdated(shelf: Shelf, keep: int) -> list[str]:
    """Versions to remove: made by a refresh, older than the newest `keep` of those, and no longer needed.

    Needed are the default, the previous default, and every version from which a kept version was made.
    """
    made = [version for version in shelf.trained() if _was_refreshed(shelf, version)]
    record = read_record(shelf.store)
    kept = [*made[:keep], *(one for one in (record.default, record.previous) if one is not None)]
    needed = {name for version in kept for name in _line(shelf, version)}
    return [version for version in made[keep:] if version not in needed]


def remove(shelf: Shelf, version: str) -> None:
    """Removes a version's archive and models; its name stays reserved. It can be repeated after a kill."""
    folder = shelf.folder(version)
    with atomic_write(folder / PRUNED, durable=True) as partial:
        partial.write_text(json.dumps(facts_of(shelf, version), indent=1, ensure_ascii=False), encoding="utf-8")
    shelf.archive(version).unlink(missing_ok=True)
    for path in sorted(_files(folder), key=lambda path: path == shelf.artifact(version)):  # the artifact last
        path.unlink(missing_ok=True)


def _was_refreshed(shelf: Shelf, version: str) -> bool:
    """Whether a refresh made the version. A version packed under another name contains the original's files."""
    ended = read_ended(shelf.folder(version))
    return ended is not None and ended["version"] == version


def _files(folder: Path) -> Iterable[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.name not in _STAY]


def _line(shelf: Shelf, version: str) -> Iterator[str]:
    """The version, and all versions from which it was made, newest first."""
    seen: set[str] = set()
    name: str | None = version
    while name is not None and name not in seen:
        seen.add(name)
        yield name
        recipe = shelf.recipe(name)
        name = recipe.options.get("FROM") if recipe is not None else None
