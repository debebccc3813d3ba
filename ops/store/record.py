"""What a restart must bring back: `model-store/versions`, a few plain lines.

    default 1.1
    registered 1.0 1.1
    promoted 1.0 2026-01-31T09:00:00Z
    promoted 1.1 2026-01-31T10:00:00Z

The default stands first, for people; there is no such line as long as nothing was promoted. It follows
from the lines below: what was promoted last and not rolled back. A change is written to a new file that takes the old
one's place, under a lock.
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
    """A version became the default, or ceased to be by a rollback; `time` in UTC, as in ISO 8601."""

    kind: str
    version: str
    time: str


@dataclass(frozen=True)
class Record:
    """Versions registered when a verb last changed something, and the events, oldest first."""

    registered: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()

    @property
    def defaults(self) -> list[str]:
        """The default and, before it, those that a rollback goes back to, one by one."""
        stack: list[str] = []
        for event in self.events:
            if event.kind == PROMOTED:
                stack.append(event.version)
            else:
                stack.pop()
        return stack

    @property
    def default(self) -> str | None:
        """What a restart answers with; None where nothing was packed yet."""
        return self.defaults[-1] if self.defaults else None

    @property
    def previous(self) -> str | None:
        """What was the default before."""
        return self.defaults[-2] if len(self.defaults) > 1 else None

    def with_registered(self, versions: Iterable[str]) -> Record:
        """The same with other registered versions."""
        return replace(self, registered=tuple(versions))

    def with_promoted(self, version: str) -> Record:
        """The same with another default; unchanged where it is the default already."""
        return self if version == self.default else self._with(PROMOTED, version)

    def with_replaced(self, former: str, version: str) -> Record:
        """The same once a server's default went from `former` to `version`; unchanged where another server, with the
        same store, has done so already."""
        return self if version == self.default else self.with_promoted(former).with_promoted(version)

    def rolled_back_from(self, former: str) -> Record:
        """The same once a server went back from its default `former`; unchanged where that is the record's no more."""
        return self.rolled_back() if former == self.default else self

    def rolled_back(self) -> Record:
        """The same with the previous default; there must be one."""
        assert self.previous is not None
        return self._with(ROLLED_BACK, self.defaults[-1])

    def _with(self, kind: str, version: str) -> Record:
        time = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        return replace(self, events=(*self.events, Event(kind, version, time)))


def read_record(store: Path) -> Record:
    """The record of a model store; an empty one where nothing was packed yet.

    Raises:
        ValueError: a line is none of a record's; the message holds file, line and what is allowed.
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
    """Applies `change` to the record, all or nothing, and returns what it is then."""
    with locked(store):
        before = read_record(store)
        after = change(before)
        if after != before:
            _write(_path(store), after)
        return after


@contextmanager
def locked(store: Path) -> Iterator[None]:
    """Keeps others from changing the record and ncf.mar meanwhile."""
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
