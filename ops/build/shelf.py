"""The versions of a folder: artifacts under build/, archives in the model store, and which numbers are free."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from model.archive import MANIFEST
from ops.build.recipe import Recipe, read_recipe
from ops.store.archives import archive_path
from ops.store.record import read_record

BUILD = Path("build")
ARTIFACT = "ncf.pt"
FIRST = "1.0"
LOCK = ".lock"
# What is left of a version that was removed: its name stays taken, and its history is told.
PRUNED = "pruned.json"
VERDICT = "verdict.json"
CANARY = "canary.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LAST_NUMBER = re.compile(r"(.*?)(\d+)")
# Folders under build/ that hold no version.
_OTHERS = {"demo"}
_CHUNK_BYTES = 1 << 20


class VersionError(ValueError):
    """A verb was refused, since it would have replaced a version, or has none to work with."""


@dataclass(frozen=True)
class Shelf:
    """`build` holds a folder for each version, `store` the archives."""

    build: Path
    store: Path

    def folder(self, version: str) -> Path:
        """Where a version's artifact, metrics and pictures lie."""
        return self.build / version

    def artifact(self, version: str) -> Path:
        """A version's artifact, which need not be there."""
        return self.folder(version) / ARTIFACT

    def archive(self, version: str) -> Path:
        """A version's archive, which need not be there."""
        return archive_path(self.store, version)

    def recipe(self, version: str) -> Recipe | None:
        """What a version was made of; None where no verb of this room made it, or where it was never finished.

        Raises:
            ValueError: its record is damaged.
        """
        return read_recipe(self.folder(version)) if self.artifact(version).is_file() else None

    def is_taken(self, version: str) -> bool:
        """Whether something lies under that name already."""
        recorded = {*read_record(self.store).registered, *read_record(self.store).defaults}
        files = self.artifact(version), self.archive(version), self.folder(version) / PRUNED
        return any(file.is_file() for file in files) or version in recorded

    def default(self) -> str:
        """The version that a start serves; 1.0 where nothing was packed yet."""
        return read_record(self.store).default or FIRST

    def trained(self) -> list[str]:
        """The versions that have an artifact, the newest first."""
        found = [path.parent for path in self.build.glob(f"*/{ARTIFACT}") if path.parent.name not in _OTHERS]
        return [path.name for path in sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)]

    def packed(self) -> list[Path]:
        """Every archive in the model store, the one that a start serves included."""
        return sorted(self.store.glob("*.mar"))

    def next_free(self, version: str) -> str:
        """The next version with a free name: its last number is counted up, or one is added."""
        counted = _LAST_NUMBER.fullmatch(version)
        stem, number = (counted[1], int(counted[2])) if counted else (f"{version}-", 1)
        while self.is_taken(f"{stem}{number + 1}"):
            number += 1
        return f"{stem}{number + 1}"

    def holds_artifact(self, version: str) -> bool:
        """Whether a version's archive holds the artifact that lies in its folder, byte for byte.

        Raises:
            VersionError: the archive cannot be read.
        """
        archive = self.archive(version)
        try:
            with zipfile.ZipFile(archive) as opened:
                name = json.loads(opened.read(MANIFEST))["model"]["serializedFile"]
                with opened.open(name) as packed, self.artifact(version).open("rb") as built:
                    return _digest(packed) == _digest(built)
        except (zipfile.BadZipFile, LookupError, ValueError) as error:
            told = f"{archive}: no readable archive ({error})"
            raise VersionError(f"{told}: move it away, then `make package VERSION={version}` packs it anew") from error


def _digest(file: IO[bytes]) -> bytes:
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.digest()


def check_name(version: str) -> str:
    """The version, if it is a name that can be served.

    Raises:
        VersionError: it is not.
    """
    if not _NAME.fullmatch(version):
        raise VersionError(f'VERSION: got "{version}", allowed: letters, digits, and . _ - after the first')
    return version


@contextmanager
def making(folder: Path) -> Iterator[None]:
    """Lets no other process make the version in `folder` meanwhile.

    Raises:
        VersionError: another one does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise VersionError(f"version {folder.name} is being made by PID {file.read()}: wait, or stop it") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        os.set_inheritable(file.fileno(), True)  # by the command that makes the version; see commands._run
        try:
            yield
        finally:
            if [path.name for path in folder.iterdir()] == [LOCK]:  # nothing was made
                (folder / LOCK).unlink()
                folder.rmdir()
