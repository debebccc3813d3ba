"""Whether a restart would serve what the server has loaded, or another archive of the same name."""

from __future__ import annotations

from ops import processes, server
from ops.settings import ServerSettings
from ops.store import archive_path


def is_as_loaded(settings: ServerSettings, version: str) -> bool | None:
    """Whether a version's archive is the one that the server loaded; None where nobody noted which that was.

    Noted are those that the server was started with, whose digests were compared before, and those that a verb
    registered, whose answers were compared.
    """
    state = processes.read_state(settings)
    if state is None or version not in state["loaded"]:
        return None
    return bool(state["loaded"][version] == server.stamp(archive_path(settings.model_store, version)))


def forget_loaded(settings: ServerSettings, version: str) -> None:
    """Notes that the server holds the version no more."""
    state = processes.read_state(settings)
    if state is not None and state["loaded"].pop(version, None) is not None:
        processes.write_state(settings, state)
