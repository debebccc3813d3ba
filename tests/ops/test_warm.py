"""The warm process forks workers that are like ordinary ones. Here a worker is a small script."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from handler import front_end
from ops.frontend import warm, worker
from ops.process import launch
from ops.settings import read_settings
from tests.waiting import wait_until
from tests.warm import PATH, Warm, ask

ROOT = Path(__file__).parents[2]
# Reports on itself, answers each line, and ends at the line "end".
SCRIPT = """
import json, os, sys
names = ("pid", "parent", "arguments", "folder", "path", "environment", "torch", "threads", "name")
values = (os.getpid(), os.getppid(), sys.argv[1:], os.getcwd(), sys.path[1:] if sys.path[0] == HERE else sys.path)
values += ({**os.environ}, "torch" in sys.modules, len(os.listdir("/proc/self/task")), __name__)
print(json.dumps(dict(zip(names, values))), flush=True)
for line in sys.stdin:
    if line == "end\\n":
        sys.exit(7)
    print(line, end="", flush=True)
"""


def start(folder: Path) -> Warm:
    script = folder / "worker.py"
    script.write_text(f"HERE = {str(folder)!r}{SCRIPT}")
    return Warm(folder, script)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    one = start(tmp_path_factory.mktemp("warm"))
    yield one
    one.end()


def test_forked_worker_is_like_an_ordinary_one(started: Warm, tmp_path: Path) -> None:
    with started.worker("--sock-name", "a b") as (process, forked):
        assert forked.pop("parent") == started.process.pid
        assert forked.pop("pid") != process.pid
        assert forked["environment"].pop(worker.FRONT_END) == str(os.getpid())
        assert (forked.pop("torch"), forked["threads"]) == (True, 1)
        assert ask(process, "hello\n") == "hello\n"
    usual = Warm.__new__(Warm)
    usual.script, usual.address = started.script, str(tmp_path / "none.sock")
    with usual.worker("--sock-name", "a b") as (process, ordinary):
        assert (ordinary.pop("pid"), ordinary.pop("parent"), ordinary.pop("torch")) == (process.pid, os.getpid(), False)
        ordinary["environment"][worker.ADDRESS] = started.address
    assert forked == ordinary


@pytest.mark.parametrize("killed", ["worker", "program"])
def test_worker_and_the_program_that_torchserve_runs_end_together(started: Warm, killed: str) -> None:
    with started.worker() as (other, _), started.worker() as (process, report):
        forked = psutil.Process(report["pid"])
        os.kill(forked.pid if killed == "worker" else process.pid, signal.SIGKILL)
        assert process.wait(120) == (1 if killed == "worker" else -signal.SIGKILL)
        wait_until(lambda: not forked.is_running(), "the end of the worker")
        assert ask(other, "still here\n") == "still here\n"


def test_stopped_worker_is_killed_with_its_program(started: Warm) -> None:
    with started.worker() as (process, report):
        forked = psutil.Process(report["pid"])
        forked.suspend()
        process.kill()
        wait_until(lambda: not forked.is_running(), "the end of the worker")


def test_worker_that_ends_by_itself_ends_its_program(started: Warm) -> None:
    with started.worker() as (process, _):
        assert ask(process, "end\n") == ""
        assert process.wait(120) == 1


def test_program_that_ends_before_its_order_harms_no_other(started: Warm) -> None:
    environment = {**os.environ, worker.ADDRESS: started.address, "PATH": PATH}
    for _ in range(3):
        killed = subprocess.Popen([str(worker.PROGRAM), "/none.py"], env=environment, stderr=subprocess.DEVNULL)
        killed.kill()
        killed.wait()
    with started.worker() as (process, _):
        assert ask(process, "hello\n") == "hello\n"


def test_workers_outlive_the_warm_process_and_new_ones_are_ordinary(tmp_path: Path) -> None:
    one = start(tmp_path)
    with one.worker() as (forked, report):
        one.process.kill()
        one.end()
        assert ask(forked, "still here\n") == "still here\n"
        with one.worker() as (process, ordinary):
            assert ordinary["pid"] == process.pid
            assert ask(process, "hello\n") == "hello\n"
        os.kill(report["pid"], signal.SIGKILL)
        assert forked.wait(120) == 1


def test_worker_is_ordinary_where_the_warm_process_hangs_and_the_order_is_forgotten(tmp_path: Path) -> None:
    one = start(tmp_path)
    wait_until(Path(one.address + worker.READY).exists, "the imports")
    warm_process = psutil.Process(one.process.pid)
    warm_process.suspend()
    began = time.monotonic()
    with one.worker() as (process, ordinary):
        assert ordinary["pid"] == process.pid
        assert time.monotonic() - began < worker.IMPORT_TIMEOUT_S / 2
        warm_process.resume()
        with one.worker() as (_, forked):  # its order came after the forgotten one
            assert [child.pid for child in warm_process.children()] == [forked["pid"]]
        assert ask(process, "hello\n") == "hello\n"
    one.end()


def test_warm_process_ends_with_the_front_end(tmp_path: Path) -> None:
    one = start(tmp_path)
    one.end()
    assert one.process.returncode == 0


@pytest.mark.parametrize("possible", [True, False])
def test_start_chooses_the_python_of_the_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, possible: bool
) -> None:
    started: list[object] = []

    def stand_in(*arguments: object) -> list[str]:
        started.append(arguments[3])
        return ["true"]

    monkeypatch.setattr(launch, "front_end_command", stand_in)
    if not possible:
        monkeypatch.delattr(os, "pidfd_open")
    settings = read_settings(ROOT / "config.properties", tmp_path, {})
    with (tmp_path / "console.log").open("wb") as output:
        assert not launch.launch(settings, [], tmp_path, output)
    assert started == [worker.PROGRAM if possible else Path(sys.executable)]
    note = tmp_path / launch.WARM_PID_FILE
    assert note.exists() == possible
    if possible:  # its front end, `true`, has ended
        wait_until(lambda: not psutil.pid_exists(int(note.read_text())), "the end of the warm process")
    assert (tmp_path / "console.log").read_text() == ""


def test_worker_and_handler_use_the_same_name_for_the_front_end() -> None:
    assert worker.FRONT_END == front_end.FRONT_END


def test_program_and_warm_process_use_the_same_name_for_the_mark() -> None:
    assert worker.READY == warm.READY
