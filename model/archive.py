"""The names of an archive and of its parts, and the digests of its files. Packing, serving and checking share them."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Iterator

# The model's name. The archive's name and the server's paths contain it.
NAME = "ncf"
# The HTTP header in which a worker names the version that answered.
VERSION_HEADER = "X-Model-Version"
# TorchServe's own description of the archive, inside the archive.
MANIFEST = "MAR-INF/MANIFEST.json"
# The digest of every other file in the archive, in the format of `sha256sum -c`.
DIGESTS = "SHA256SUMS"
# The model card: what a version is for, and its errors. The archive and the version's folder contain it.
MODEL_CARD = "MODEL_CARD.md"


def archive_name(version: str) -> str:
    """The name of a version's archive in the model store."""
    return f"{NAME}-{version}.mar"


def version_order(version: str) -> list[str | int]:
    """A key that sorts versions as people do: 1.10 after 1.9."""
    parts = re.split("([0-9]+)", version)
    return [int(part) if place % 2 else part for place, part in enumerate(parts)]


def file_digests(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Yields the name and the SHA-256 of every file in the archive, except the list of digests."""
    for entry in archive.infolist():
        if not entry.is_dir() and entry.filename != DIGESTS:
            with archive.open(entry) as stream:
                digest = hashlib.file_digest(stream, "sha256")  # type: ignore[arg-type]  # a ZipExtFile reads into
                yield entry.filename, digest.hexdigest()
