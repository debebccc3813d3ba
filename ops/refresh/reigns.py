"""When each version was the default, from the events of the record."""

from __future__ import annotations

from typing import NamedTuple

from ops.store.record import Record


class Reign(NamedTuple):
    """A time during which a version was the default; in UTC, in ISO 8601. `ended` is None for the present default."""

    begun: str
    ended: str | None


def reigns(record: Record) -> dict[str, list[Reign]]:
    """The reigns of each version, oldest first. A rollback ends one reign and begins another."""
    found: dict[str, list[Reign]] = {}
    events = record.events
    for place, event in enumerate(events):
        version = Record(events=events[: place + 1]).default
        ended = events[place + 1].time if place + 1 < len(events) else None
        if version is not None and ended != event.time:
            found.setdefault(version, []).append(Reign(event.time, ended))
    return found
