"""The steps by which a running server changes its versions, each checked before the next.

What a verb has done stands in the record, so that a restart brings it back. A verb that fails leaves the default, and
the record, as they were. Two verbs at once would not: whoever calls these holds `only_verb`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ops.client import Client, ClientError
from ops.process import console
from ops.process.loaded import forget_loaded, is_as_loaded, note_loaded
from ops.process.workers import READY_TIMEOUT_S, WorkerError, drain, wait_until_ready
from ops.settings import ServerSettings
from ops.store.archives import archive_path, link_start_archive
from ops.store.digests import DigestError, check_archive
from ops.store.record import Record, change_record, read_record
from ops.versions.compare import SmokeError, find_difference

# How long nobody may have asked for a version by its name before it is removed.
_QUIET_S = 1.0
NOTHING_BEFORE = "nothing to roll back to: no version was the default before {}"


class RolloutError(RuntimeError):
    """A version was not changed; the message says at which step, and why."""


def whole_archive(store: Path, version: str) -> Path:
    """A version's archive, its digests compared.

    Raises:
        RolloutError: there is none.
        DigestError: it is damaged.
    """
    archive = archive_path(store, version)
    if not archive.is_file():
        raise RolloutError(f"{archive}: no such archive: make package VERSION={version}")
    check_archive(archive)
    return archive


class Rollout:
    """Changes the versions of one server and keeps its model store's record."""

    def __init__(self, client: Client, settings: ServerSettings) -> None:
        self._client = client
        self._settings = settings
        self._store = settings.model_store

    def register(self, version: str, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Registers a version beside the others, waits for its workers, and compares its answers with its artifact's.

        A version that fails is removed again.

        Raises:
            RolloutError: it is registered already, there is no such archive, it is damaged, its workers do not load
                it, or answer otherwise.
            ClientError: the server refused.
        """
        from ops.versions.reference import ArchiveError, Reference  # torch, which the other verbs do not wait for
        from ops.versions.smoke import smoke

        if version in self._names():
            raise RolloutError(f"version {version} is registered already: `make unregister VERSION={version}` first")
        try:
            reference = Reference(whole_archive(self._store, version), version)
        except (DigestError, ArchiveError) as error:
            raise RolloutError(f"version {version} was not registered: {error}") from error
        others = [len(one["workers"]) for one in self._client.versions() if one["default"]]
        printed = console.size(self._settings)
        try:  # as many workers as the default has, whose place it is to take
            self._client.register(version, workers=max(1, *others))
            try:
                wait_until_ready(self._client, version, timeout_s)
                smoke(self._client, reference, version)
            except (WorkerError, SmokeError, ClientError) as error:
                self._client.unregister(version)
                raised = console.load_failure(self._settings, printed)
                reason = f"{error}: {raised}" if raised else str(error)
                raise RolloutError(f"version {version} was removed again: {reason}") from error
        except KeyboardInterrupt:
            with suppress(ClientError):  # it was not registered yet
                self._client.unregister(version)
            raise
        note_loaded(self._settings, version)
        self._note(lambda record: record)

    def promote(self, version: str) -> None:
        """Makes a registered version the default, now and at the next start.

        Raises:
            RolloutError: it is not ready, its archive is damaged or another than the one that was loaded, or the
                default does not answer as it does.
            ClientError: the server refused.
        """
        former = self._default()
        self._switch(version, former)
        self._note(lambda record: record.with_replaced(former, version))

    def rollback(self) -> str:
        """Makes the previous default the default again, registered anew where it was removed; returns its name.

        Raises:
            RolloutError: there was none before, or it cannot be had.
            ClientError: the server refused.
        """
        former = self._default()
        version = read_record(self._store).with_promoted(former).previous
        if version is None:
            raise RolloutError(NOTHING_BEFORE.format(former))
        if version not in self._names():
            self.register(version)
        self._switch(version, former)
        self._note(lambda record: record.rolled_back_from(former))
        return version

    def unregister(self, version: str) -> None:
        """Removes a version once it has answered all that it was asked.

        Raises:
            RolloutError: it is the only one, the default, or still asked for.
            ClientError: there is none such.
        """
        if self._names() == [version]:
            raise RolloutError(f"version {version} is the only one: register another first, or `make stop`")
        if self._default() == version:
            raise RolloutError(f"version {version} is the default: promote another first")
        try:
            asked, since = self._client.requests_by_name(version), time.monotonic()
            drain(self._client, version)
            time.sleep(max(0.0, since + _QUIET_S - time.monotonic()))
        except WorkerError as error:
            raise RolloutError(f"version {version} was not removed: {error}") from error
        if more := self._client.requests_by_name(version) - asked:
            told = f"{more} requests named it just now, and the next might be left without an answer"
            raise RolloutError(f"version {version} was not removed: {told}; move those clients first")
        self._client.unregister(version)
        forget_loaded(self._settings, version)
        self._note(lambda record: record)

    def _switch(self, version: str, former: str) -> None:
        """Sets the default and asks it; sets it back where the answers are not the version's."""
        try:
            self._check_restart(version)
        except (WorkerError, SmokeError, ValueError) as error:
            raise RolloutError(f"version {version} was not promoted: {error}") from error
        self._client.promote(version)
        try:
            self._check_default(version)
        except (RolloutError, ClientError, KeyboardInterrupt):
            self._client.promote(former)
            raise
        link_start_archive(self._store, version)

    def _check_restart(self, version: str) -> None:
        """What is promoted must be ready, and a restart must serve the same: from the archive as it lies there."""
        archive, loaded = whole_archive(self._store, version), is_as_loaded(self._settings, version)
        if loaded is False:
            told = f"`make unregister VERSION={version}`, then `make register VERSION={version}`, or `make serve`"
            raise RolloutError(f"version {version} was not promoted: {archive}: another one than was loaded: {told}")
        wait_until_ready(self._client, version)
        if loaded is None:  # registered with curl: nobody has compared its answers
            from ops.versions.reference import Reference
            from ops.versions.smoke import smoke

            smoke(self._client, Reference(archive, version), version)
            note_loaded(self._settings, version)

    def _check_default(self, version: str) -> None:
        """The default must answer as the version does by its name."""
        example = self._client.describe(version)["example"]
        for body in (
            {"user_id": example["user_id"], "movie_id": example["movie_ids"][0]},
            {"user_id": example["user_id"], "movie_ids": example["movie_ids"]},
        ):
            by_default, by_name = (self._client.answer(json.dumps(body).encode(), name) for name in (None, version))
            difference = find_difference(json.loads(by_default.body), json.loads(by_name.body))
            if by_default.version != version or difference is not None:
                told = difference or f"answered by version {by_default.version}"
                raise RolloutError(f"version {version} was not promoted: as the default: {told}")

    def _default(self) -> str:
        for one in self._client.versions():
            if one["default"]:
                return str(one["version"])
        raise RolloutError("the server has no version: make register VERSION=...")

    def _names(self) -> list[str]:
        return [one["version"] for one in self._client.versions()]

    def _note(self, change: Callable[[Record], Record]) -> None:
        """Writes down what was done, and what is registered now."""
        names = self._names()
        change_record(self._store, lambda record: change(record).with_registered(names))
