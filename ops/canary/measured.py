"""Errors and rankings of two versions on ratings that neither was trained on, measured by `train.compare`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ops.build.database import is_url
from ops.build.shelf import Shelf


class MeasureError(ValueError):
    """Nothing could be measured; the message says why."""


def measure(version: str, other: str, shelf: Shelf, data: str | None) -> dict[str, Any]:
    """The figures of `python -m train.compare` for the two versions.

    data: the source of ratings; by default all sources of the two versions.

    Raises:
        MeasureError: a version is not in this folder, there are no ratings, or the versions are made from different
            data.
    """
    for name in (version, other):
        if not shelf.artifact(name).is_file():
            raise MeasureError(f"{shelf.artifact(name)}: no such file: only versions of this folder can be compared")
    named = [data] if data else [source for source in sources(version, shelf) if _is_there(source)]
    others = [] if data else [source for source in sources(other, shelf) if _is_there(source) and source not in named]
    if not named and not others:
        raise MeasureError("the ratings of these versions are unknown or no longer exist: name ratings with DATA=")
    with TemporaryDirectory() as folder:
        out = Path(folder) / "figures.json"
        words = ["--version", str(shelf.folder(version)), "--other", str(shelf.folder(other)), "--out", str(out)]
        words += ["--data", *named] if named else []
        words += ["--other-data", *others] if others else []
        _run([sys.executable, "-m", "train.compare", *words])
        figures: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return figures


def sources(version: str, shelf: Shelf) -> list[str]:
    """All sources of ratings of a version and of its bases."""
    found: dict[str, None] = {}
    seen: set[str] = set()
    names: list[str] = [version]
    while names and names[-1] not in seen:
        seen.add(names[-1])
        recipe = shelf.recipe(names.pop())
        options = recipe.options if recipe is not None else {}
        found |= dict.fromkeys(options[name] for name in ("DATA", "RATINGS") if options.get(name))
        names += [options["FROM"]] if options.get("FROM") else []
    return list(found)


def _is_there(source: str) -> bool:
    return is_url(source) or Path(source).exists()


def _run(words: list[str]) -> None:
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise MeasureError(said[-1].removeprefix("compare: ") if said else f"exit status {done.returncode}")
