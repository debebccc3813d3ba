"""What an archive and its answers are called, and the digests of its files: for who packs, serves or checks it."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator

# The model's name, in the archive's and in every path that the server answers.
NAME = "ncf"
# Every answer of a worker over HTTP names the version that it came from.
VERSION_HEADER = "X-Model-Version"
# TorchServe's own description of the archive, in it.
MANIFEST = "MAR-INF/MANIFEST.json"
# The digest of every other file in it, in the format of `sha256sum -c`.
DIGESTS = "SHA256SUMS"
# What a version is for, and how well it does: in the archive, and in the version's folder.
MODEL_CARD = "MODEL_CARD.md"


def archive_name(version: str) -> str:
    """The name of a version's archive in the model store."""
    return f"{NAME}-{version}.mar"


def file_digests(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Name and SHA-256 of every file in it but the list of digests."""
    for entry in archive.infolist():
        if not entry.is_dir() and entry.filename != DIGESTS:
            with archive.open(entry) as stream:
                digest = hashlib.file_digest(stream, "sha256")  # type: ignore[arg-type]  # a ZipExtFile reads into
                yield entry.filename, digest.hexdigest()
