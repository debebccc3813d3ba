"""Compares the code and settings inside an archive with the present ones."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path

from model.archive import DIGESTS
from ops.build.shelf import Shelf

# These files of handler/ are in the root of an archive.
_IN_ROOT = ("ncf_handler.py", "model-config.yaml")


def edited_since_packed(version: str, shelf: Shelf) -> str | None:
    """A file of model/ or handler/ that differs from the one in the version's archive; None if all are the same.

    Also None if there is nothing to compare: no archive, no artifact to pack, or no digests in the archive.
    """
    if not shelf.artifact(version).is_file():
        return None
    try:
        with zipfile.ZipFile(shelf.archive(version)) as archive:
            lines = archive.read(DIGESTS).decode("utf-8", "replace").splitlines()
    except (OSError, zipfile.BadZipFile, LookupError):
        return None
    packed = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    edited = (str(path) for name, path in _sources() if packed.get(name) != _digest(path))
    return next(edited, None)


def way_to_pack_anew(version: str, shelf: Shelf) -> str:
    """The command that makes an archive with the present code and settings."""
    return f"`make package VERSION={shelf.next_free(version)} FROM={version}` packs the same model again"


def _sources() -> Iterator[tuple[str, Path]]:
    """The files that packing copies, and their names in an archive."""
    for path in sorted(path for room in ("model", "handler") for path in Path(room).rglob("*.py")):
        yield path.name if path.name in _IN_ROOT else path.as_posix(), path
    yield "model-config.yaml", Path("handler") / "model-config.yaml"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
