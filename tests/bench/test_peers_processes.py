"""A server ends with everything that it started: processes that ignore SIGTERM, and orphans."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bench.peers.processes import end, started
from tests.waiting import wait_until

# Writes its PID when it is ready.
WAIT = "import os, signal, sys, time; {first}; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(600)"
FRIENDLY = WAIT.format(first="0")
DEAF = WAIT.format(first="signal.signal(signal.SIGTERM, signal.SIG_IGN)")


def orphan(code: str, scratch: Path, noted: Path) -> int:
    """Starts a process whose parent, a shell, ends at once; returns its PID when it is ready."""
    command = ["sh", "-c", '"$0" -c "$1" "$2" &', sys.executable, code, str(noted)]
    subprocess.run(command, env={**os.environ, "TMPDIR": str(scratch)}, check=True)
    return ready(noted)


def ready(noted: Path) -> int:
    wait_until(lambda: noted.exists() and noted.read_text(), f"{noted} has a PID")
    return int(noted.read_text())


def runs(pid: int) -> bool:
    """Whether the process runs; a killed process may stay a zombie if nobody adopts it."""
    try:
        return psutil.Process(pid).status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("code", [FRIENDLY, DEAF], ids=["friendly", "deaf"])
def test_end_stops_orphans_and_leaves_processes_of_other_folders_running(
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


def test_child_processes_end_with_the_server_after_an_error(tmp_path: Path) -> None:
    noted = tmp_path / "child.pid"
    code = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', *sys.argv[1:]]); time.sleep(600)"
    command = [sys.executable, "-c", code, FRIENDLY, noted]
    pids = []
    try:
        with started(command, 1, tmp_path / "ncf.pt", tmp_path / "server") as running:
            pids = [running.pid, ready(noted)]
            raise KeyError
    except KeyError:
        assert len(pids) == 2
    assert not any(map(runs, pids))
