"""Runs a server's processes in their own folder, and ends them together with all their children."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.machine import ROOT
from bench.peers.rating_model import ARTIFACT
from ops.process.state import family

STOP_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Running:
    """A server that was started but may not answer yet; `started` is on the clock of time.monotonic()."""

    url: str
    pid: int
    started: float
    log: Path


def interpreter(peer: str) -> Path:
    """The Python of the peer's environment.

    Raises:
        FileNotFoundError: the environment is not installed.
    """
    found = _environment(peer) / "bin" / "python"
    if not found.exists() or not is_installed(peer):
        raise FileNotFoundError(f"{_environment(peer)}: not installed; `make bench-peers` installs it")
    return found


def is_installed(peer: str) -> bool:
    """Whether the peer's environment is installed, or the peer needs no separate environment."""
    if not Path(__file__).with_name(peer).joinpath("requirements.txt").exists():
        return True
    return (_environment(peer) / "ready").exists()


def _environment(peer: str) -> Path:
    return ROOT / ".venv-peers" / peer


@contextmanager
def started(
    command: Sequence[object], port: int, artifact: Path, folder: Path, more: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """Runs `command` in `folder` during the block, with `more` in its environment.

    Every process has one thread for arithmetic and its own TMPDIR, and can import `bench.peers.rating_model`.
    """
    scratch = folder / "tmp"
    scratch.mkdir(parents=True)
    own = {
        "PYTHONPATH": str(ROOT),
        ARTIFACT: str(artifact),
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "TMPDIR": str(scratch),
        "HOME": str(folder),
        "DO_NOT_TRACK": "1",
    }
    environment = {**os.environ, **own, **(more or {})}
    log = folder / "console.log"
    with log.open("wb") as console:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Running(f"http://127.0.0.1:{port}", process.pid, time.monotonic(), log)
    finally:
        end(scratch)
        process.wait()


def end(scratch: Path) -> None:
    """Asks every process with this TMPDIR to end, orphans included, and kills those that have not ended in time."""
    members = list(family(str(scratch)))
    for one in members:
        try:
            one.terminate()
        except psutil.NoSuchProcess:
            continue
    _, alive = psutil.wait_procs(members, timeout=STOP_TIMEOUT_S)
    for one in alive:
        one.kill()
    psutil.wait_procs(alive, timeout=STOP_TIMEOUT_S)
