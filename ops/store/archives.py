"""The archives: ncf-VERSION.mar of each version, and ncf.mar, which a plain `torchserve --start` serves."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from model.archive import NAME, archive_name
from ops.store.record import Record, change_record, locked, read_record
from ops.undo import undone_on_failure


def archive_path(store: Path, version: str) -> Path:
    """The path of a version's archive."""
    return store / archive_name(version)


def start_archive(store: Path) -> Path:
    """The archive that a plain `torchserve --start` serves; config.properties names it."""
    return store / f"{NAME}.mar"


def start_version(store: Path) -> str | None:
    """The default version of the next start; None if nothing was packed yet."""
    return read_record(store).default


def versions_to_start(store: Path) -> list[str]:
    """The versions of the next start: the default, then the other registered versions that still have an archive."""
    record = read_record(store)
    if record.default is None:
        return []
    others = [version for version in record.registered if version != record.default]
    return [record.default, *(version for version in others if archive_path(store, version).is_file())]


def start_with(store: Path, version: str, change: Callable[[Record], Record] | None = None) -> None:
    """Makes `version` the default of the next start. It changes both ncf.mar and the record, or neither.

    change: the change of the record; by default it promotes the version.
    """
    with undone_on_failure() as undo:
        undo.add("put the next start back", start_restorer(store))
        link_start_archive(store, version)
        change_record(store, change or (lambda record: record.with_promoted(version)))


@contextmanager
def trying_to_start_with(store: Path, version: str) -> Iterator[None]:
    """Makes `version` the default of the next start, and undoes that if the block fails."""
    with undone_on_failure() as undo:
        undo.add("put the next start back", start_restorer(store))
        if start_version(store) != version:
            start_with(store, version)
        yield


def link_start_archive(store: Path, version: str) -> None:
    """Makes ncf.mar a second name of the version's archive."""
    _link(store, archive_path(store, version))


def start_restorer(store: Path) -> Callable[[], None]:
    """Returns a function that restores ncf.mar and the record as they are now."""
    record, start = read_record(store), start_archive(store)
    now = start.stat() if start.exists() else None
    others = [path for path in store.glob(f"{NAME}-*.mar") if now is not None and path.stat().st_ino == now.st_ino]

    def restore() -> None:
        change_record(store, lambda _: record)
        if now is None:
            start.unlink(missing_ok=True)
        elif others and start.stat().st_ino != now.st_ino:
            _link(store, others[0])

    return restore


def _link(store: Path, archive: Path) -> None:
    with locked(store):
        for left in store.glob(f".{NAME}.mar.*"):  # files that a killed process left
            left.unlink()
        partial = store / f".{NAME}.mar.new"
        os.link(archive, partial)
        os.replace(partial, start_archive(store))
        partial.unlink(missing_ok=True)  # os.replace does nothing if both names are the same file
