"""The model store: one ncf-VERSION.mar per version, and ncf.mar, the one that a server starts with.

`python -m ops.store --version 1.0` is run after packaging: it lets a first archive, or a newly made one of the same
version, be what a server starts with, and leaves any other choice alone.
"""

from __future__ import annotations

import argparse
import json
import os
import zipfile
from pathlib import Path

from ops.client import NAME
from ops.settings import read_settings


def archive_path(store: Path, version: str) -> Path:
    """Where a version's archive lies."""
    return store / f"{NAME}-{version}.mar"


def start_archive(store: Path) -> Path:
    """The archive that a server starts with; config.properties names it."""
    return store / f"{NAME}.mar"


def archive_version(archive: Path) -> str | None:
    """The version that an archive's manifest tells; None where there is no such archive."""
    try:
        with zipfile.ZipFile(archive) as file:
            return str(json.loads(file.read("MAR-INF/MANIFEST.json"))["model"]["modelVersion"])
    except FileNotFoundError:
        return None


def start_with(store: Path, version: str) -> None:
    """Makes `version` the one that a server starts with, in one step."""
    partial = store / f".{NAME}.mar.{os.getpid()}"
    partial.unlink(missing_ok=True)
    os.link(archive_path(store, version), partial)
    os.replace(partial, start_archive(store))


def main() -> None:
    """Keeps ncf.mar in step with a newly made archive."""
    parser = argparse.ArgumentParser(prog="python -m ops.store", description=main.__doc__)
    parser.add_argument("--version", required=True)
    version = parser.parse_args().version
    store = read_settings(Path("config.properties"), Path.cwd()).model_store
    if archive_version(start_archive(store)) in (None, version):
        start_with(store, version)


if __name__ == "__main__":
    main()
