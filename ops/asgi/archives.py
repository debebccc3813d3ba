"""Unpacks the archives that a server serves, once for all its processes.

This module does not import torch, because the parent process does not need it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from ops.asgi import shared
from ops.store.archives import archive_path, start_archive, versions_to_start
from ops.store.digests import check_archive


def archives_to_serve(store: Path) -> list[Path]:
    """The archives of the next start, the default first; only ncf.mar if the record has no version.

    Raises:
        FileNotFoundError: there is no archive.
    """
    recorded = [archive_path(store, version) for version in versions_to_start(store)]
    if not recorded and not start_archive(store).is_file():
        raise FileNotFoundError(
            f"{start_archive(store)}: no such archive: run `make package`, or mount the model store"
        )
    return recorded or [start_archive(store)]


def unpack(archives: Iterable[Path], folder: Path) -> None:
    """Checks the digests of each archive, and unpacks it into a folder whose name is its position: 0, 1, ...

    Raises:
        DigestError, OSError: an archive is damaged or missing.
    """
    for place, archive in enumerate(archives):
        check_archive(archive)
        with zipfile.ZipFile(archive) as file:
            file.extractall(folder / str(place))


def lay(archives: Iterable[Path], folder: Path) -> Path:
    """Unpacks archives into the server's folder, for processes that start from now on; returns the new folder.

    Raises:
        DigestError, OSError: as `unpack`; then new processes still find the former archives.
    """
    place = Path(tempfile.mkdtemp(prefix="versions-", dir=folder))
    try:
        unpack(archives, place)
    except BaseException:
        shutil.rmtree(place)
        raise
    point_to(folder, place)
    return place


def point_to(folder: Path, place: Path) -> None:
    """Makes new processes read from `place`, in one step."""
    link = folder / "new"
    link.symlink_to(place.name)
    os.replace(link, shared.archives(folder))


def remove_others(folder: Path) -> None:
    """Removes the folders that no process reads any more."""
    kept = shared.archives(folder).resolve()
    for place in folder.glob("versions-*"):
        if place.resolve() != kept:
            shutil.rmtree(place, ignore_errors=True)
