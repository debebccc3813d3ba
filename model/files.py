"""A file that is there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def atomic_write(path: Path, durable: bool = False) -> Iterator[Path]:
    """Yields a path beside `path` to write to; it replaces `path` in one step if the block succeeds.

    If the block raises, the partial file is removed and `path` stays as it was. The partial file has a name of this
    process alone, and is in the same folder, since a rename is atomic only within one file system.

    durable: the content reaches the disk before the rename, so that a power failure leaves the old file or the new.

    Raises:
        OSError: the file cannot be written, for example on a full disk.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        if durable:
            with partial.open("rb") as file:
                os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise
