"""Stores the finished parts of a run, one file each, so that an interrupted run can resume."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from bench.machine import ROOT
from model.files import atomic_write

FOLDER = ROOT / "build" / "bench" / "ranking"
Part = Mapping[str, np.ndarray]


class Kept:
    """The finished parts of one data set, which its SHA-256 identifies."""

    def __init__(self, sha256: str, folder: Path = FOLDER) -> None:
        self._folder = folder / hashlib.sha256(sha256.encode()).hexdigest()[:12]

    def clear(self) -> None:
        """Forgets all parts."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def get(self, name: str, make: Callable[[], Part]) -> Part:
        """Returns the stored part of this name; if there is none, makes it with `make` and stores it."""
        path = self._folder / f"{name}.npz"
        if path.is_file():
            with np.load(path, allow_pickle=False) as arrays:
                return {key: arrays[key] for key in arrays.files}
        made = make()
        self._folder.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as partial, partial.open("wb") as file:
            np.savez(file, allow_pickle=False, **made)
        return made
