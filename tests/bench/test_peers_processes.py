"""A server ends with all that it started: what ignores a friendly word, and what lost its parent."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from bench.peers.processes import end, started

# Says that it is ready by writing its PID.
WAIT = "import os, signal, sys, time; {first}; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(60)"
FRIENDLY = WAIT.format(first="0")
DEAF = WAIT.format(first="signal.signal(signal.SIGTERM, signal.SIG_IGN)")


def orphan(code: str, scratch: Path, noted: Path) -> int:
    """Its parent, a shell, ends at once; returns its PID when it is ready."""
    command = ["sh", "-c", '"$0" -c "$1" "$2" &', sys.executable, code, str(noted)]
    subprocess.run(command, env={**os.environ, "TMPDIR": str(scratch)}, check=True)
    return ready(noted)


def ready(noted: Path) -> int:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if noted.exists() and (text := noted.read_text()):
            return int(text)
        time.sleep(0.02)
    raise TimeoutError(noted)


def runs(pid: int) -> bool:
    """Whoever was killed may stay a zombie, where nobody adopts it."""
    try:
        return psutil.Process(pid).status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("code", [FRIENDLY, DEAF], ids=["friendly", "deaf"])
def test_an_orphan_is_ended_and_a_process_of_another_folder_is_not(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.peers.processes.STOP_TIMEOUT_S", 0.5)
    mine, other = tmp_path / "mine", tmp_path / "other"
    pid = orphan(code, mine, tmp_path / "mine.pid")
    bystander = orphan(FRIENDLY, other, tmp_path / "other.pid")
    try:
        end(mine)
        assert not runs(pid)
        assert runs(bystander)
    finally:
        end(other)
    assert not runs(bystander)


def test_what_a_server_started_ends_with_it_though_the_block_fails(tmp_path: Path) -> None:
    noted = tmp_path / "child.pid"
    code = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', *sys.argv[1:]]); time.sleep(60)"
    command = [sys.executable, "-c", code, FRIENDLY, noted]
    pids = []
    try:
        with started(command, 1, tmp_path / "ncf.pt", tmp_path / "server") as running:
            pids = [running.pid, ready(noted)]
            raise KeyError
    except KeyError:
        assert len(pids) == 2
    assert not any(map(runs, pids))
