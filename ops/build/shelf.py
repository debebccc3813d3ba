"""The versions of a folder: artifacts under build/, archives in the model store, and the free version names."""

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

from model.archive import MANIFEST, NAME, archive_name, version_order
from ops.build.recipe import Recipe, read_recipe
from ops.store.archives import archive_path
from ops.store.record import read_record

BUILD = Path("build")
ARTIFACT = "ncf.pt"
FIRST = "1.0"
LOCK = ".lock"
# The file that stays after a version was removed. It reserves the name and keeps the version's history.
PRUNED = "pruned.json"
VERDICT = "verdict.json"
CANARY = "canary.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LAST_NUMBER = re.compile(r"(.*?)(\d+)")
# Folders under build/ that are not versions.
_OTHERS = {"demo"}
_CHUNK_BYTES = 1 << 20


class VersionError(ValueError):
    """A verb was refused, because it would replace a version, or because its input is missing or wrong."""


@dataclass(frozen=True)
class Shelf:
    """`build` contains one folder per version, `store` contains the archives."""

    build: Path
    store: Path

    def folder(self, version: str) -> Path:
        """The folder with a version's artifact, metrics and pictures."""
        return self.build / version

    def artifact(self, version: str) -> Path:
        """The path of a version's artifact, which need not exist."""
        return self.folder(version) / ARTIFACT

    def archive(self, version: str) -> Path:
        """The path of a version's archive, which need not exist."""
        return archive_path(self.store, version)

    def recipe(self, version: str) -> Recipe | None:
        """The recipe of a version; None if no verb of this room made it, or if it was never finished.

        Raises:
            ValueError: the recipe's file is damaged.
        """
        return read_recipe(self.folder(version)) if self.artifact(version).is_file() else None

    def made_alike(self, recipe: Recipe) -> str | None:
        """A version that was made from exactly this; None if none was."""
        made = ((version, self.recipe(version)) for version in self.trained())
        return next((version for version, one in made if one is not None and one.is_same(recipe)), None)

    def is_taken(self, version: str) -> bool:
        """Whether a version already has this name."""
        recorded = {*read_record(self.store).registered, *read_record(self.store).defaults}
        files = self.artifact(version), self.archive(version), self.folder(version) / PRUNED
        return any(file.is_file() for file in files) or version in recorded

    def default(self) -> str:
        """The version that a start serves; 1.0 if nothing was packed yet."""
        return read_record(self.store).default or FIRST

    def trained(self) -> list[str]:
        """The versions that have an artifact, the newest first."""
        found = [path.parent for path in self.build.glob(f"*/{ARTIFACT}") if path.parent.name not in _OTHERS]
        return [path.name for path in sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)]

    def versions(self) -> list[str]:
        """The versions that have an artifact or an archive, by name."""
        packed = (path.stem.removeprefix(f"{NAME}-") for path in self.store.glob(archive_name("*")))
        return sorted({*self.trained(), *packed}, key=version_order)

    def check_artifact(self, version: str) -> None:
        """Raises VersionError if the version has no artifact; the message says which versions have one."""
        if not self.artifact(version).is_file():
            known = ", ".join(sorted(self.trained(), key=version_order)) or "none yet, `make train` makes one"
            raise VersionError(f"{self.artifact(version)}: no such file; versions of this folder: {known}")

    def packed(self) -> list[Path]:
        """Every archive in the model store, including ncf.mar, which a start serves."""
        return sorted(self.store.glob("*.mar"))

    def next_free(self, version: str) -> str:
        """The next free version name: it increases the last number, or adds one."""
        counted = _LAST_NUMBER.fullmatch(version)
        stem, number = (counted[1], int(counted[2])) if counted else (f"{version}-", 1)
        while self.is_taken(f"{stem}{number + 1}"):
            number += 1
        return f"{stem}{number + 1}"

    def holds_artifact(self, version: str) -> bool:
        """Whether a version's archive contains the artifact of its folder, byte for byte.

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
            told = f"{archive}: not a readable archive ({error})"
            raise VersionError(f"{told}: move it away, then `make package VERSION={version}` packs it again") from error


def _digest(file: IO[bytes]) -> bytes:
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.digest()


def check_name(version: str) -> str:
    """Returns the version if its name is allowed.

    Raises:
        VersionError: the name is not allowed.
    """
    if not _NAME.fullmatch(version):
        raise VersionError(f'VERSION: got "{version}", allowed: letters, digits, and . _ - after the first')
    return version


@contextmanager
def making(folder: Path) -> Iterator[None]:
    """Prevents other processes from making the version in `folder` while the block runs.

    Raises:
        VersionError: another process is making it.
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
        os.set_inheritable(file.fileno(), True)  # the command that makes the version inherits it; see commands._run
        try:
            yield
        finally:
            if [path.name for path in folder.iterdir()] == [LOCK]:  # nothing was made
                (folder / LOCK).unlink()
                folder.rmdir()
