"""One verb at a time changes a server's versions: the steps of two at once would leave server and record apart."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from ops.settings import ServerSettings

# A verb that waits for longer says so.
_SILENT_S = 1.0


@contextmanager
def only_verb(settings: ServerSettings, name: str) -> Iterator[None]:
    """Waits until no other verb changes this folder's server; the kernel lets go of it however the process ends.

    name: what those that wait are told.
    """
    path = settings.folder / ".run" / "verb"
    path.parent.mkdir(exist_ok=True)
    with path.open("a+") as file:
        began, silent = time.monotonic(), True
        while not _take(file):
            if silent and time.monotonic() - began > _SILENT_S:
                silent = False
                file.seek(0)
                print(f"waiting for `{file.read()}` to end ...", flush=True)
            time.sleep(0.05)
        file.truncate(0)
        file.write(name)
        file.flush()
        yield


def _take(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
