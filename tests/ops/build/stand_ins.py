"""Stand-ins for the commands of `train`: they write files at once, without training."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from model.archive import MANIFEST
from ops.build.recipe import Recipe
from ops.build.shelf import Shelf


def write_artifact(recipe: Recipe, _version: str, out: Path, _processes: str | None, _resume: bool) -> None:
    data = Path(recipe.options["DATA"])
    content = data.read_text() if data.is_file() else (data / "rates.csv").read_text()
    (out / "ncf.pt").write_text(f"{content} {recipe.options['PRESET']} {recipe.options['TRAIN_ARGS']}")


def write_update(options: dict[str, str], base: Path, _version: str, out: Path) -> None:
    (out / "ncf.pt").write_text(base.read_text() + Path(options["RATINGS"]).read_text())


def write_archive(artifact: Path, version: str, store: Path) -> None:
    with zipfile.ZipFile(store / f"ncf-{version}.mar", "w") as archive:
        archive.writestr(MANIFEST, json.dumps({"model": {"serializedFile": "ncf.pt", "modelVersion": version}}))
        archive.write(artifact, "ncf.pt")


def artifact(shelf: Shelf, version: str) -> str:
    return shelf.artifact(version).read_text()


def made_elsewhere(shelf: Shelf, version: str) -> None:
    shelf.folder(version).mkdir()
    shelf.artifact(version).write_text("by hand")


def contents(shelf: Shelf) -> dict[str, bytes]:
    files = (*shelf.build.rglob("*"), *shelf.store.rglob("*"))
    return {str(path): path.read_bytes() for path in files if path.is_file()}
