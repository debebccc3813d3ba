"""The record of the versions that a restart must load: `model-store/versions`, a few plain lines.

    default 1.1
    registered 1.0 1.1
    promoted 1.0 2026-01-31T09:00:00Z
    promoted 1.1 2026-01-31T10:00:00Z

The first line is for people. It repeats what the lines below say: the version that was promoted last and not rolled
back. It is missing until a version is promoted. A change writes a new file and replaces the old one, under a lock.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from model.files import atomic_write

PROMOTED, ROLLED_BACK = "promoted", "rolled-back"


class Event(NamedTuple):
    """A promotion of a version, or a rollback from it. `time` is in UTC, in ISO 8601."""

    kind: str
    version: str
    time: str


@dataclass(frozen=True)
class Record:
    """The versions registered after the last change by a verb, and the events, oldest first."""

    registered: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()

    @property
    def defaults(self) -> list[str]:
        """The defaults, oldest first. The last one is the present default; a rollback returns to the one before it."""
        stack: list[str] = []
        for event in self.events:
            if event.kind == PROMOTED:
                stack.append(event.version)
            else:
                stack.pop()
        return stack

    @property
    def default(self) -> str | None:
        """The default version of a restart; None if nothing was packed yet."""
        return self.defaults[-1] if self.defaults else None

    @property
    def previous(self) -> str | None:
        """The default before the present one; None if there is none."""
        return self.defaults[-2] if len(self.defaults) > 1 else None

    def with_registered(self, versions: Iterable[str]) -> Record:
        """This record with other registered versions."""
        return replace(self, registered=tuple(versions))

    def with_promoted(self, version: str) -> Record:
        """This record with another default; unchanged if it already is the default."""
        return self if version == self.default else self._with(PROMOTED, version)

    def with_replaced(self, former: str, version: str) -> Record:
        """This record after a server's default changed from `former` to `version`.

        Unchanged if another server with the same store has already recorded it.
        """
        return self if version == self.default else self.with_promoted(former).with_promoted(version)

    def rolled_back_from(self, former: str) -> Record:
        """This record after a rollback from the default `former`; unchanged if that is no longer the default."""
        return self.rolled_back() if former == self.default else self

    def rolled_back(self) -> Record:
        """This record with the previous default; there must be one."""
        assert self.previous is not None
        return self._with(ROLLED_BACK, self.defaults[-1])

    def _with(self, kind: str, version: str) -> Record:
        time = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        return replace(self, events=(*self.events, Event(kind, version, time)))


def read_record(store: Path) -> Record:
    """The record of a model store; an empty record if nothing was packed yet.

    Raises:
        ValueError: a line is not one of a record; the message names file, line and the allowed lines.
    """
    path = _path(store)
    registered: tuple[str, ...] = ()
    events = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines() if path.exists() else [], start=1):
        match line.split():
            case ["registered", *versions]:
                registered = tuple(versions)
            case [("promoted" | "rolled-back") as kind, version, time]:
                events.append(Event(kind, version, time))
            case ["default", _] | []:
                pass
            case _:
                allowed = "default V, registered V ..., promoted V TIME, rolled-back V TIME"
                raise ValueError(f"{path}:{number}: got {line!r}, allowed: {allowed}")
    return Record(registered, tuple(events))


def change_record(store: Path, change: Callable[[Record], Record]) -> Record:
    """Applies `change` to the record in one step, and returns the new record."""
    with locked(store):
        before = read_record(store)
        after = change(before)
        if after != before:
            _write(_path(store), after)
        return after


@contextmanager
def locked(store: Path) -> Iterator[None]:
    """Keeps other processes from changing the record and ncf.mar."""
    with (store / ".versions.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write(path: Path, record: Record) -> None:
    if record == Record():
        path.unlink(missing_ok=True)
        return
    lines = [f"default {record.default}"] if record.default else []
    lines += [" ".join(("registered", *record.registered))]
    lines += [" ".join(event) for event in record.events]
    with atomic_write(path, durable=True) as partial:
        partial.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _path(store: Path) -> Path:
    return store / "versions"
