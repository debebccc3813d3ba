"""Atomic writes: a reader sees the whole file or none of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def atomic_write(path: Path, durable: bool = False) -> Iterator[Path]:
    """Yields a path beside `path` to write to; it replaces `path` in one step if the block succeeds.

    If the block raises, the partial file is removed and `path` does not change. The name of the partial file contains
    the process id. It is in the same folder, because a rename is atomic only within one file system.

    durable: write the content to disk before the rename, so that a power failure leaves the old file or the new one.

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
