"""The processes of one server. Each writes its PID to the shared folder once it can answer."""

from __future__ import annotations

import os
from pathlib import Path

import psutil


class Workers:
    """The processes that serve together. Only they use `folder`; None means a single process."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def join(self) -> None:
        """Notes this process."""
        if self._folder is not None:
            (self._folder / str(os.getpid())).touch()

    def alive(self) -> list[int]:
        """The PIDs of the processes that have loaded the versions and still run."""
        if self._folder is None:
            return [os.getpid()]
        return sorted(pid for pid in self._noted() if self._serves(pid))

    def _noted(self) -> list[int]:
        assert self._folder is not None
        return [int(path.name) for path in self._folder.iterdir()]

    def _serves(self, pid: int) -> bool:
        try:
            process = psutil.Process(pid)
            return process.ppid() == os.getppid() and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False
