"""Which archives the server has loaded, so that we can tell whether a restart would serve the same files.

A start notes the archives that it loads, after it checked their digests. A verb notes the archive that it registered,
after it compared its answers.
"""

from __future__ import annotations

from collections.abc import Callable

from ops.process import state
from ops.settings import ServerSettings, stamp
from ops.store.archives import archive_path


def is_as_loaded(settings: ServerSettings, version: str) -> bool | None:
    """Whether a version's archive is the file that the server loaded; None if that is not noted."""
    noted = state.read(settings)
    if noted is None or version not in noted["loaded"]:
        return None
    return bool(noted["loaded"][version] == stamp(archive_path(settings.model_store, version)))


def note_loaded(settings: ServerSettings, version: str) -> None:
    """Notes the archive that the running server has just loaded as `version`."""
    noted = state.read(settings)
    if noted is not None:
        noted["loaded"][version] = stamp(archive_path(settings.model_store, version))
        state.write(settings, noted)


def forget_loaded(settings: ServerSettings, version: str) -> None:
    """Notes that the server no longer holds the version."""
    noted = state.read(settings)
    if noted is not None and noted["loaded"].pop(version, None) is not None:
        state.write(settings, noted)


def loaded_restorer(settings: ServerSettings, version: str) -> Callable[[], None]:
    """Returns a function that restores what is noted about the version now."""
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
