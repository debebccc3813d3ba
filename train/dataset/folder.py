"""Writes a folder in one step: either the whole folder exists, or none of it."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from train.errors import DataError


@contextmanager
def whole_folder(target: Path, replaceable: bool = False) -> Iterator[Path]:
    """Yields an empty folder. It becomes `target` when the block succeeds, and is removed when the block fails.

    Raises:
        DataError: `target` is not empty and not replaceable. Nothing is written then.
    """
    target = target.absolute()
    if target.exists() and not replaceable and not (target.is_dir() and not any(target.iterdir())):
        raise DataError(f"{target}: already exists, with other content; give another folder, or remove this one")
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        fresh = scratch / "new"
        fresh.mkdir()
        yield fresh
        _swap(fresh, target, scratch / "old")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _swap(fresh: Path, target: Path, old: Path) -> None:
    """Replaces a folder. A folder with files cannot be overwritten by a rename, so it is moved away first."""
    if target.exists():
        os.replace(target, old)
    try:
        os.replace(fresh, target)
    except OSError:
        if old.exists():
            os.replace(old, target)
        raise
