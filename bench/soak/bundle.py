"""The server under test: three versions with different ratings, supervised by `python -m ops.process.supervise`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from bench.machine import ROOT
from bench.servers import prepare
from model.artifact import load_artifact, save_artifact
from ops.client import Client
from ops.process import server
from ops.settings import ServerSettings

VERSIONS = ("1.0", "1.1", "1.2")
_READY_TIMEOUT_S = 120.0
_STOP_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Bundle:
    """The server's settings, and the artifact of each version."""

    settings: ServerSettings
    artifacts: dict[str, Path]

    def front_end(self) -> int:
        """The PID of the JVM.

        Raises:
            RuntimeError: the JVM does not run.
        """
        pid = server.running(self.settings)
        if pid is None:
            raise RuntimeError("the server has ended")
        return pid

    def workers(self) -> list[int]:
        """The PIDs of all workers that are ready."""
        all_workers = [worker for one in Client(self.settings).versions() for worker in one["workers"]]
        return [worker["pid"] for worker in all_workers if worker["status"] == "READY"]

    def wait_until_ready(self, workers: int) -> None:
        """Returns once `workers` workers are ready.

        Raises:
            RuntimeError: they are not ready within two minutes.
        """
        deadline = time.monotonic() + _READY_TIMEOUT_S
        while server.running(self.settings) is None or len(self.workers()) < workers:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{workers} workers were not ready within {_READY_TIMEOUT_S:.0f} s")
            time.sleep(0.1)


@contextmanager
def supervised(artifact: Path, folder: Path) -> Iterator[Bundle]:
    """Starts a server of the first version with its supervisor. Ends both afterwards, even after an error."""
    folder.mkdir()
    artifacts = {version: _varied(artifact, folder, number) for number, version in enumerate(VERSIONS)}
    settings = prepare(artifacts, folder / "server")
    with (folder / "supervisor.log").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "ops.process.supervise"],
            cwd=settings.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C then reaches only this process, which ends the supervisor
        )
    try:
        while "answers at" not in (said := (folder / "supervisor.log").read_text()):
            if process.poll() is not None:
                raise RuntimeError(f"the supervisor ended: {said}")
            time.sleep(0.1)
        yield Bundle(settings, artifacts)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
        server.stop(settings)


def _varied(artifact: Path, folder: Path, number: int) -> Path:
    """The artifact with small random changes to all users, different for each number; unchanged for 0."""
    if not number:
        return artifact
    loaded = load_artifact(artifact)
    generator = torch.Generator().manual_seed(number)
    with torch.no_grad():
        table = loaded.network.state_dict()["user_embedding.weight"]
        table.add_(0.1 * table.std() * torch.randn(table.shape, generator=generator))
    path = folder / f"varied-{number}.pt"
    save_artifact(loaded, path)
    return path
