"""Rolls back while no server runs: needed if a damaged default prevents the start."""

from __future__ import annotations

from pathlib import Path

import httpx

from ops.client import Client, ClientError
from ops.process import server
from ops.settings import ServerSettings
from ops.store.archives import start_with
from ops.store.record import Record, read_record
from ops.versions.checks import NOTHING_BEFORE, RolloutError, check_same_items, whole_archive


def is_down(client: Client, settings: ServerSettings) -> bool:
    """Whether no server of this folder runs, and no other server answers at its address."""
    if server.running(settings) is not None:
        return False
    try:
        client.versions()
    except ClientError as error:
        return isinstance(
            error.__cause__, httpx.ConnectError
        )  # a slow server, or one that refuses our key, is not down
    return False


def roll_back_start(store: Path) -> str:
    """Makes the previous default the version of the next start; returns its name.

    Raises:
        RolloutError: there is no previous default, or its archive is missing.
        DigestError: its archive is damaged.
    """
    record = read_record(store)
    if record.default is None:
        raise RolloutError("nothing to roll back to: no version was served yet")
    if record.previous is None:
        raise RolloutError(NOTHING_BEFORE.format(record.default))
    whole_archive(store, record.previous)
    check_same_items(store, record.previous, record.default)
    start_with(store, record.previous, Record.rolled_back)
    return record.previous
