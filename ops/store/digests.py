"""SHA256SUMS: the digests of every file in an archive, in the format of `sha256sum -c`.

`train.package` writes the list. `check_archive` checks an archive in the model store before a server loads it. It finds
damage, swapped or added files, and names or sizes that are dangerous to unpack. The list is not a signature: whoever
can write to the store can write a matching list. As a protection, keep the digest of the whole archive elsewhere:
`python -m ops.store.digests --version 1.0` prints it after the check.
"""

from __future__ import annotations

import argparse
import hashlib
import shlex
import stat
import sys
import zipfile
from pathlib import Path, PurePosixPath

from model.archive import DIGESTS, NAME, file_digests
from ops.settings import read_settings
from ops.store.archives import archive_path

# The largest allowed size of an unpacked archive. A hundred million ratings make an artifact of some 2 GiB.
MAX_UNPACKED_BYTES = 16 * 2**30
# The largest allowed ratio of unpacked to packed size. We do not compress. Text can reach 20, and a zip bomb 1000.
MAX_RATIO = 100


class DigestError(ValueError):
    """The archive differs from its digests. The message names it, the file in it, and the command to pack it again."""

    def __init__(self, archive: Path, fault: str) -> None:
        # Without the rm, `make package` would keep the existing archive.
        version = archive.stem.removeprefix(f"{NAME}-")
        command = f"rm {shlex.quote(str(archive))} && make package VERSION={version}"
        super().__init__(f"{archive}: {fault}: pack it again: `{command}`")


def check_archive(archive: Path) -> str:
    """Compares every file of an archive with its digest, and returns the archive's own SHA-256.

    Raises:
        FileNotFoundError: the archive does not exist.
        DigestError: it is damaged, differs from its digests, or contains something forbidden.
    """
    if archive.is_symlink() and archive.resolve().parent != archive.parent.resolve():
        raise DigestError(archive, f"a link to {archive.resolve()}, outside the model store")
    try:
        with zipfile.ZipFile(archive) as file:
            _check_entries(archive, file)
            _compare(archive, _listed(archive, file), dict(file_digests(file)))
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise DigestError(archive, f"not a readable archive: {error}") from error
    with archive.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _check_entries(archive: Path, file: zipfile.ZipFile) -> None:
    """Refuses entries that would be written outside the folder, and archives too large to unpack."""
    seen: set[str] = set()
    for entry in file.infolist():
        name = entry.filename
        # zipfile cuts a name at a NUL byte; other readers do not.
        if entry.orig_filename != name or "\\" in name or PurePosixPath(name).is_absolute() or ".." in name.split("/"):
            raise DigestError(archive, f"{entry.orig_filename!r}: a path that leads out of the archive")
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise DigestError(archive, f"{name!r}: neither a file nor a folder")
        if name in seen:
            raise DigestError(archive, f"{name!r}: occurs twice in the archive")
        seen.add(name)
    unpacked = sum(entry.file_size for entry in file.infolist())
    most = min(MAX_UNPACKED_BYTES, MAX_RATIO * max(archive.stat().st_size, 2**20))
    if unpacked > most:
        raise DigestError(archive, f"{unpacked} bytes unpacked, at most {most} are allowed")


def _listed(archive: Path, file: zipfile.ZipFile) -> dict[str, str]:
    """The digests in the list, by name."""
    if DIGESTS not in file.namelist():
        raise DigestError(archive, f"no {DIGESTS} inside")
    lines = file.read(DIGESTS).decode("utf-8", "replace").splitlines()
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def _compare(archive: Path, listed: dict[str, str], found: dict[str, str]) -> None:
    faults = [
        *(f"{name}: missing" for name in listed.keys() - found.keys()),
        *(f"{name}: not in {DIGESTS}" for name in found.keys() - listed.keys()),
        *(f"{name}: changed" for name in listed.keys() & found.keys() if listed[name] != found[name]),
    ]
    if faults:
        raise DigestError(archive, "; ".join(sorted(faults)))


def main(arguments: list[str] | None = None) -> int:
    """Checks a version's archive and prints its digest in the format of sha256sum."""
    parser = argparse.ArgumentParser(prog="python -m ops.store.digests", description=main.__doc__)
    parser.add_argument("--version", default="1.0")
    options = parser.parse_args(arguments)
    try:
        archive = archive_path(read_settings(Path("config.properties"), Path.cwd()).model_store, options.version)
        print(f"{check_archive(archive)}  {archive.relative_to(Path.cwd())}")
    except (ValueError, OSError) as error:
        print(f"digests: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
