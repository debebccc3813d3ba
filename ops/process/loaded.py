"""Which archives the server has loaded: whether a restart would serve the same, or others of the same names.

Noted are those that the server was started with, whose digests were compared before, and those that a verb registered,
whose answers were compared.
"""

from __future__ import annotations

from collections.abc import Callable

from ops.process import state
from ops.settings import ServerSettings, stamp
from ops.store.archives import archive_path


def is_as_loaded(settings: ServerSettings, version: str) -> bool | None:
    """Whether a version's archive is the one that the server loaded; None where nobody noted which that was."""
    noted = state.read(settings)
    if noted is None or version not in noted["loaded"]:
        return None
    return bool(noted["loaded"][version] == stamp(archive_path(settings.model_store, version)))


def note_loaded(settings: ServerSettings, version: str) -> None:
    """Remembers which archive the running server has just loaded as `version`."""
    noted = state.read(settings)
    if noted is not None:
        noted["loaded"][version] = stamp(archive_path(settings.model_store, version))
        state.write(settings, noted)


def forget_loaded(settings: ServerSettings, version: str) -> None:
    """Notes that the server holds the version no more."""
    noted = state.read(settings)
    if noted is not None and noted["loaded"].pop(version, None) is not None:
        state.write(settings, noted)


def loaded_restorer(settings: ServerSettings, version: str) -> Callable[[], None]:
    """How to note of the version again what is noted of it now."""
    noted = state.read(settings)
    before = noted["loaded"].get(version) if noted is not None else None

    def restore() -> None:
        now = state.read(settings)
        if now is None or now["loaded"].get(version) == before:
            return
        now["loaded"].pop(version, None)
        if before is not None:
            now["loaded"][version] = before
        state.write(settings, now)

    return restore
