"""The archives: ncf-VERSION.mar of each version, and ncf.mar, what a plain `torchserve --start` serves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from model.archive import NAME, archive_name
from ops.store.record import Record, change_record, locked, read_record


def archive_path(store: Path, version: str) -> Path:
    """Where a version's archive lies."""
    return store / archive_name(version)


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
