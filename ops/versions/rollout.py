"""The steps that change the versions of a running server. Each step is checked before the next one.

The record contains the result of every verb, so that a restart restores it. A verb that fails restores server, record
and files: each step is added to an `Undo` before it is taken. This needs one verb at a time, so callers must hold
`only_verb`.
"""

from __future__ import annotations

import time

from model.vocabulary import counted
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

# A version is only removed after no request named it for this long.
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
            RolloutError: it is already registered, its archive is missing or damaged, its workers cannot load it, or
                its answers differ.
            ClientError: the server refused.
        """
        with undone_on_failure() as undo:
            self._register(version, timeout_s, undo)

    def promote(self, version: str) -> None:
        """Makes a registered version the default, now and at the next start.

        Raises:
            RolloutError: it is not ready, its archive is damaged or not the loaded one, or the new default gives other
                answers than the version.
            ClientError: the version is not registered, or the server refused.
        """
        self._client.check_registered(version)
        with undone_on_failure() as undo:
            former = self._default()
            self._switch(version, former, undo)
            names = self._names()
            undo.add("put the next start back", start_restorer(self._store))
            start_with(
                self._store, version, lambda record: record.with_replaced(former, version).with_registered(names)
            )

    def rollback(self) -> str:
        """Restores the previous default, and returns its name. It registers that version again if it was removed.

        Raises:
            RolloutError: there is no previous default, it has other items, or it cannot be registered.
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
        """Removes a version after it has answered all its requests.

        Raises:
            RolloutError: it is the only version, the default, or clients still name it.
            ClientError: the version is not registered.
        """
        self._client.check_registered(version)
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
            self._remove(version)  # the last step, because nothing can undo it

    def _register(self, version: str, timeout_s: float, undo: Undo) -> None:
        names = self._names()
        if version in names:
            raise RolloutError(f"version {version} is already registered: `make unregister VERSION={version}` first")
        try:
            archive = whole_archive(self._store, version)
        except DigestError as error:
            raise RolloutError(f"version {version} was not registered: {error}") from error
        from ops.versions.reference import ArchiveError, Reference  # it loads torch, which only a whole archive needs
        from ops.versions.smoke import smoke

        try:
            reference = Reference(archive, version)
        except ArchiveError as error:
            raise RolloutError(f"version {version} was not registered: {error}") from error
        others = [len(one["workers"]) for one in self._client.versions() if one["default"]]
        printed = console.size(self._settings)
        undo.add(f"remove version {version} again", lambda: self._remove_if_there(version))
        try:  # as many workers as the default has, because the version may replace it
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
        """Sets the default, and checks its answers."""
        try:
            check_restart(self._client, self._settings, version, undo)
        except (WorkerError, SmokeError, ValueError) as error:
            raise RolloutError(f"version {version} was not promoted: {error}") from error
        undo.add(f"set the default back to {former}", lambda: self._client.promote(former))
        self._client.promote(version)
        check_default(self._client, self._store, version)

    def _note_registered(self, undo: Undo, names: list[str]) -> None:
        before = read_record(self._store).registered
        undo.add("restore the record", lambda: self._record_registered(before))
        self._record_registered(tuple(names))

    def _record_registered(self, names: tuple[str, ...]) -> None:
        change_record(self._store, lambda record: record.with_registered(names))

    def _drain(self, version: str) -> None:
        """Returns once all requests of the version are answered. Refuses if clients still name the version."""
        try:
            asked, since = self._client.requests_by_name(version), time.monotonic()
            drain(self._client, version)
            time.sleep(max(0.0, since + _QUIET_S - time.monotonic()))
        except WorkerError as error:
            raise RolloutError(f"version {version} was not removed: {error}") from error
        if more := self._client.requests_by_name(version) - asked:
            told = f"{counted(more, 'request')} named it just now, and the next ones might stay unanswered"
            raise RolloutError(f"version {version} was not removed: {told}; move those clients first")

    def _remove(self, version: str) -> None:
        """Unregisters the version. If the server's answer was lost, the removal still counts."""
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
