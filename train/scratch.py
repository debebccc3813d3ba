"""Large arrays that a step of work needs for a while: on the disk, and mapped, so that they need no memory."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


def scratch_array(folder: Path | None, dtype: npt.DTypeLike, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Zeros in a file without a name, which goes with the array. folder: where; None is the system's temporary folder.

    Raises:
        OSError: the disk has no room for it.
    """
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    if not size:
        return np.zeros(shape, dtype)
    with tempfile.TemporaryFile(dir=folder) as file:
        try:
            if hasattr(os, "posix_fallocate"):  # a mapped file on a full disk would end the process by a signal
                os.posix_fallocate(file.fileno(), 0, size)
            else:  # macOS
                file.truncate(size)
        except OSError as error:
            raise OSError(error.errno, os.strerror(error.errno or 0), str(folder or tempfile.gettempdir())) from error
        return np.asarray(np.memmap(file, dtype, "r+", shape=shape))
