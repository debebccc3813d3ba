"""The registered versions as a table for people, and what a restart would change."""

from __future__ import annotations

from collections.abc import Iterator

from model.archive import version_order
from ops.client import Client
from ops.process.loaded import is_as_loaded
from ops.settings import ServerSettings
from ops.store.record import read_record


def versions_table(client: Client, settings: ServerSettings) -> str:
    """The versions as a table, and below it the changes that a restart would make."""
    lines = [f"{'version':12}{'default':10}workers"]
    for one in client.versions():
        workers = ", ".join(f"{worker['id']} {worker['status']}" for worker in one["workers"]) or "none"
        lines.append(f"{one['version']:12}{'yes' if one['default'] else '':10}{workers}")
    return "\n".join([*lines, *_differences(client, settings)])


def _differences(client: Client, settings: ServerSettings) -> Iterator[str]:
    """Changes that were made without these verbs. A restart would undo them, or would serve an untested archive."""
    versions, record = client.versions(), read_record(settings.model_store)
    for one in versions:
        if one["default"] and one["version"] != record.default:
            told = f"the default is {one['version']}, a restart serves {record.default or 'none'}"
            yield f"{told}: `make promote VERSION={one['version']}` records it"
    here, recorded = {one["version"] for one in versions}, {*record.registered, *record.defaults[-1:]}
    for name in sorted(here | recorded, key=version_order):
        if name not in recorded:
            yield f"version {name} is registered, a restart leaves it out"
        elif name not in here:
            yield f"version {name} is not registered, a restart brings it back"
        if name in here and is_as_loaded(settings, name) is False:
            yield f"the archive of version {name} has changed since it was loaded, a restart serves the new one"
