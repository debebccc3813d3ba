"""A folder that is there whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from train.errors import DataError


@contextmanager
def whole_folder(target: Path, replaceable: bool = False) -> Iterator[Path]:
    """Yield an empty folder; it becomes target when the block ends well, and is removed when it does not.

    A target that holds something is only replaced if the caller knows it to be replaceable; else DataError,
    before anything is written.
    """
    target = target.absolute()
    if target.exists() and not replaceable and not (target.is_dir() and not any(target.iterdir())):
        raise DataError(f"{target}: is there already, with other content; give another folder, or remove it")
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
    """No folder can be renamed onto one that holds files: that one steps aside, and back if this fails."""
    if target.exists():
        os.replace(target, old)
    try:
        os.replace(fresh, target)
    except OSError:
        if old.exists():
            os.replace(old, target)
        raise
