"""The model store: one ncf-VERSION.mar per version, and ncf.mar, the one that a server starts with.

`python -m ops.store --version 1.0` is run after packaging: it lets a first archive, or a newly made one of the same
version, be what a server starts with, and leaves any other choice alone. The file `starts-with` names that version, for
the Makefile.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from ops.settings import read_settings

NAME = "ncf"


def archive_path(store: Path, version: str) -> Path:
    """Where a version's archive lies."""
    return store / f"{NAME}-{version}.mar"


def start_archive(store: Path) -> Path:
    """The archive that a server starts with; config.properties names it."""
    return store / f"{NAME}.mar"


def start_version(store: Path) -> str | None:
    """The version that a server starts with; None where none was packed yet."""
    try:
        return (store / "starts-with").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None


def start_with(store: Path, version: str) -> None:
    """Makes `version` the one that a server starts with."""
    partial = store / f".{NAME}.mar.{os.getpid()}"
    partial.unlink(missing_ok=True)
    os.link(archive_path(store, version), partial)
    os.replace(partial, start_archive(store))
    (store / "starts-with").write_text(f"{version}\n", encoding="utf-8")


def main() -> None:
    """Keeps ncf.mar in step with a newly made archive."""
    parser = argparse.ArgumentParser(prog="python -m ops.store", description=main.__doc__)
    parser.add_argument("--version", required=True)
    version = parser.parse_args().version
    store = read_settings(Path("config.properties"), Path.cwd()).model_store
    if start_version(store) in (None, version):
        start_with(store, version)


if __name__ == "__main__":
    main()
