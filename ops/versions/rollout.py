"""The steps by which a running server changes its versions, each checked before the next.

What a verb has done stands in the record, so that a restart brings it back. A verb that fails, whatever it was that
failed, leaves server, record and files as they were: every step is added to an `Undo` before it is taken. Two verbs at
once could not promise that: whoever calls these holds `only_verb`.
"""

from __future__ import annotations

import time

from ops.client import Client, ClientError
from ops.process import console
from ops.process.loaded import forget_loaded, loaded_restorer, note_loaded
from ops.process.workers import READY_TIMEOUT_S, WorkerError, drain, wait_until_ready
from ops.settings import ServerSettings
from ops.store.archives import start_restorer, start_with
from ops.store.digests import DigestError
from ops.store.record import change_record, read_record
from ops.undo import Undo, undone_on_failure
from ops.versions.checks import (
    NOTHING_BEFORE,
    RolloutError,
    check_default,
    check_restart,
    check_same_items,
    whole_archive,
)
from ops.versions.compare import SmokeError

# How long nobody may have asked for a version by its name before it is removed.
_QUIET_S = 1.0


class Rollout:
    """Changes the versions of one server and keeps its model store's record."""

    def __init__(self, client: Client, settings: ServerSettings) -> None:
        self._client = client
        self._settings = settings
        self._store = settings.model_store

    def register(self, version: str, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Registers a version beside the others, waits for its workers, and compares its answers with its artifact's.

        Raises:
            RolloutError: it is registered already, there is no such archive, it is damaged, its workers do not load
                it, or answer otherwise.
            ClientError: the server refused.
        """
        with undone_on_failure() as undo:
            self._register(version, timeout_s, undo)

    def promote(self, version: str) -> None:
        """Makes a registered version the default, now and at the next start.

        Raises:
            RolloutError: it is not ready, its archive is damaged or another than the one that was loaded, or the
                default does not answer as it does.
            ClientError: the server refused.
        """
        with undone_on_failure() as undo:
            former = self._default()
            self._switch(version, former, undo)
            names = self._names()
            undo.add("put the next start back", start_restorer(self._store))
            start_with(
                self._store, version, lambda record: record.with_replaced(former, version).with_registered(names)
            )

    def rollback(self) -> str:
        """Makes the previous default the default again, registered anew where it was removed; returns its name.

        Raises:
            RolloutError: there was none before, it is of other items, or it cannot be had.
            ClientError: the server refused.
        """
        with undone_on_failure() as undo:
            former = self._default()
            version = read_record(self._store).with_promoted(former).previous
            if version is None:
                raise RolloutError(NOTHING_BEFORE.format(former))
            check_same_items(self._store, version, former)
            if version not in self._names():
                self._register(version, READY_TIMEOUT_S, undo)
            self._switch(version, former, undo)
            names = self._names()
            undo.add("put the next start back", start_restorer(self._store))
            start_with(self._store, version, lambda record: record.rolled_back_from(former).with_registered(names))
        return version

    def unregister(self, version: str) -> None:
        """Removes a version once it has answered all that it was asked.

        Raises:
            RolloutError: it is the only one, the default, or still asked for.
            ClientError: there is none such.
        """
        names = self._names()
        if names == [version]:
            raise RolloutError(f"version {version} is the only one: register another first, or `make stop`")
        if self._default() == version:
            raise RolloutError(f"version {version} is the default: promote another first")
        self._drain(version)
        with undone_on_failure() as undo:
            self._note_registered(undo, [name for name in names if name != version])
            undo.add(f"note that {version} is loaded", loaded_restorer(self._settings, version))
            forget_loaded(self._settings, version)
            self._remove(version)  # the last step, since nothing takes it back

    def _register(self, version: str, timeout_s: float, undo: Undo) -> None:
        from ops.versions.reference import ArchiveError, Reference  # torch, which the other verbs do not wait for
        from ops.versions.smoke import smoke

        names = self._names()
        if version in names:
            raise RolloutError(f"version {version} is registered already: `make unregister VERSION={version}` first")
        try:
            reference = Reference(whole_archive(self._store, version), version)
        except (DigestError, ArchiveError) as error:
            raise RolloutError(f"version {version} was not registered: {error}") from error
        others = [len(one["workers"]) for one in self._client.versions() if one["default"]]
        printed = console.size(self._settings)
        undo.add(f"remove version {version} again", lambda: self._remove_if_there(version))
        try:  # as many workers as the default has, whose place it is to take
            self._client.register(version, workers=max(1, *others))
            wait_until_ready(self._client, version, timeout_s)
            smoke(self._client, reference, version)
        except (WorkerError, SmokeError, ClientError) as error:
            raised = console.load_failure(self._settings, printed)
            reason = f"{error}: {raised}" if raised else str(error)
            raise RolloutError(f"version {version} was removed again: {reason}") from error
        undo.add(f"forget that {version} was loaded", loaded_restorer(self._settings, version))
        note_loaded(self._settings, version)
        self._note_registered(undo, [*names, version])

    def _switch(self, version: str, former: str, undo: Undo) -> None:
        """Sets the default and asks it."""
        try:
            check_restart(self._client, self._settings, version, undo)
        except (WorkerError, SmokeError, ValueError) as error:
            raise RolloutError(f"version {version} was not promoted: {error}") from error
        undo.add(f"set the default back to {former}", lambda: self._client.promote(former))
        self._client.promote(version)
        check_default(self._client, self._store, version)

    def _note_registered(self, undo: Undo, names: list[str]) -> None:
        before = read_record(self._store).registered
        undo.add("put the record back", lambda: self._record_registered(before))
        self._record_registered(tuple(names))

    def _record_registered(self, names: tuple[str, ...]) -> None:
        change_record(self._store, lambda record: record.with_registered(names))

    def _drain(self, version: str) -> None:
        """Returns once nobody waits for the version's answers, and nobody asks for it by its name."""
        try:
            asked, since = self._client.requests_by_name(version), time.monotonic()
            drain(self._client, version)
            time.sleep(max(0.0, since + _QUIET_S - time.monotonic()))
        except WorkerError as error:
            raise RolloutError(f"version {version} was not removed: {error}") from error
        if more := self._client.requests_by_name(version) - asked:
            told = f"{more} requests named it just now, and the next might be left without an answer"
            raise RolloutError(f"version {version} was not removed: {told}; move those clients first")

    def _remove(self, version: str) -> None:
        """Unregisters; a removal whose answer was lost on the way is one all the same."""
        try:
            self._client.unregister(version)
        except BaseException:
            if version in self._names():
                raise

    def _remove_if_there(self, version: str) -> None:
        if version in self._names():
            self._client.unregister(version)

    def _default(self) -> str:
        for one in self._client.versions():
            if one["default"]:
                return str(one["version"])
        raise RolloutError("the server has no version: make register VERSION=...")

    def _names(self) -> list[str]:
        return [one["version"] for one in self._client.versions()]
