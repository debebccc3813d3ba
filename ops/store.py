"""The model store: ncf-VERSION.mar of each version, ncf.mar for a plain `torchserve --start`, and the record.

`python -m ops.store --version 1.0` is run after packaging: a first archive becomes what a server starts with, unless it
is an update, which goes `--beside` the others; a newly made archive of the default takes the old one's place.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.record import Record, change_record, locked, read_record
from ops.settings import read_settings

NAME = "ncf"


def archive_path(store: Path, version: str) -> Path:
    """Where a version's archive lies."""
    return store / f"{NAME}-{version}.mar"


def start_archive(store: Path) -> Path:
    """The archive that a plain `torchserve --start` serves; config.properties names it."""
    return store / f"{NAME}.mar"


def start_version(store: Path) -> str | None:
    """The default of the next start; None where nothing was packed yet."""
    return read_record(store).default


def versions_to_start(store: Path) -> list[str]:
    """What a server starts with: the default, then the other registered versions that still have an archive."""
    record = read_record(store)
    if record.default is None:
        return []
    others = [version for version in record.registered if version != record.default]
    return [record.default, *(version for version in others if archive_path(store, version).is_file())]


def start_with(store: Path, version: str) -> None:
    """Makes `version` the default of the next start: the archive first, then the record, each in one step."""
    link_start_archive(store, version)
    change_record(store, lambda record: record.with_promoted(version))


@contextmanager
def trying_to_start_with(store: Path, version: str) -> Iterator[None]:
    """Makes `version` the default of the next start, and takes that back if what is done meanwhile fails."""
    former = start_version(store)
    if former != version:
        start_with(store, version)
    try:
        yield
    except Exception:
        if former is not None and former != version:
            link_start_archive(store, former)
            change_record(store, Record.rolled_back)  # so that no rollback leads to what did not come up
        raise


def link_start_archive(store: Path, version: str) -> None:
    """Makes ncf.mar a second name of the version's archive."""
    with locked(store):
        for left in store.glob(f".{NAME}.mar.*"):  # by a process that was killed
            left.unlink()
        partial = store / f".{NAME}.mar.new"
        os.link(archive_path(store, version), partial)
        os.replace(partial, start_archive(store))
        partial.unlink(missing_ok=True)  # to rename one of a file's names to another does nothing


def main() -> None:
    """Keeps ncf.mar in step with a newly made archive."""
    parser = argparse.ArgumentParser(prog="python -m ops.store", description=main.__doc__)
    parser.add_argument("--version", required=True)
    parser.add_argument("--beside", action="store_true", help="never let a first archive be the default")
    options = parser.parse_args()
    store = read_settings(Path("config.properties"), Path.cwd()).model_store
    default = start_version(store)
    if default == options.version or (default is None and not options.beside):
        start_with(store, options.version)


if __name__ == "__main__":
    main()
