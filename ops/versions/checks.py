"""Checks before a version is registered, promoted or restored by a rollback, and after it became the default."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from model.vocabulary import Vocabulary
from ops.build.shelf import BUILD, Shelf
from ops.client import Client
from ops.process.loaded import is_as_loaded, loaded_restorer, note_loaded
from ops.process.workers import wait_until_ready
from ops.settings import ServerSettings
from ops.store.archives import archive_path
from ops.store.digests import check_archive
from ops.undo import Undo
from ops.versions.compare import find_difference
from ops.versions.lineage import SAME_ITEMS, shared_items

NOTHING_BEFORE = "nothing to roll back to: no version was the default before {}"


class RolloutError(RuntimeError):
    """A change of versions failed; the message names the step and the reason."""


def whole_archive(store: Path, version: str) -> Path:
    """The path of a version's archive, after its digests were compared.

    Raises:
        RolloutError: the archive does not exist.
        DigestError: the archive is damaged.
    """
    archive = archive_path(store, version)
    if not archive.is_file():
        shelf = Shelf(BUILD, store)
        if shelf.artifact(version).is_file():
            raise RolloutError(f"{archive}: no such archive: `make package VERSION={version}` packs it")
        known = f"there are {', '.join(shelf.versions()) or 'none yet'}"
        raise RolloutError(f"{archive}: no such archive; {known}; `make train package VERSION={version}` makes it")
    check_archive(archive)
    return archive


def check_same_items(store: Path, version: str, former: str) -> None:
    """Refuses a rollback to a model of another data set, which was served here earlier.

    Raises:
        RolloutError: the two versions share few movie ids.
    """
    share = shared_items(archive_path(store, version), archive_path(store, former))
    if share is not None and share < SAME_ITEMS:
        told = f"it was trained on other data than {former}: they share {share:.0%} of their items' ids"
        raise RolloutError(f"not rolled back to version {version}: {told}: `make promote VERSION={version}` serves it")


def check_restart(client: Client, settings: ServerSettings, version: str, undo: Undo) -> None:
    """Checks that the version is ready, and that a restart would serve the same: the archive must not have changed."""
    archive, loaded = whole_archive(settings.model_store, version), is_as_loaded(settings, version)
    if loaded is False:
        told = f"`make unregister VERSION={version}`, then `make register VERSION={version}`, or `make serve`"
        raise RolloutError(f"version {version} was not promoted: {archive}: changed since it was loaded: {told}")
    wait_until_ready(client, version)
    if loaded is None:  # it was registered without our verb, so its answers were never compared
        from ops.versions.reference import Reference
        from ops.versions.smoke import smoke

        smoke(client, Reference(archive, version), version)
        undo.add(f"forget that {version} was loaded", loaded_restorer(settings, version))
        note_loaded(settings, version)


def check_default(client: Client, store: Path, version: str) -> None:
    """Checks that the default gives the same answers as the version asked by its name."""
    metadata = client.describe(version)
    item_id = Vocabulary.of(metadata).item_id
    for body in _bodies(metadata, store, version):
        by_default, by_name = (client.answer(body, name) for name in (None, version))
        difference = find_difference(json.loads(by_default.body), json.loads(by_name.body), item_id)
        if by_default.version != version or difference is not None:
            told = difference or f"answered by version {by_default.version}"
            raise RolloutError(f"version {version} was not promoted: as the default: {told}")


def _bodies(metadata: Mapping[str, Any], store: Path, version: str) -> list[bytes]:
    """Requests that the version can answer, with ids from its metadata, or else from its artifact."""
    example = metadata.get("example")
    if example is None:
        from ops.versions.reference import Reference
        from ops.versions.smoke import asks

        return [body for _, body in asks(Reference(whole_archive(store, version), version).artifact)]
    words = Vocabulary.of(metadata)
    pair = {"user_id": example["user_id"], words.item_id: example[words.item_ids][0]}
    candidates = {"user_id": example["user_id"], words.item_ids: example[words.item_ids]}
    return [json.dumps(body).encode() for body in (pair, candidates)]
