"""A folder has one server, even after simultaneous starts. A start that must fail does not stop a running server."""

import os
import socket
import subprocess
from collections.abc import Iterator

import psutil
import pytest

from ops import auth
from ops.process import server, state
from tests.e2e.conftest import end
from tests.e2e.failing import answers
from tests.e2e.project import Project, environment
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

SERVE = (".venv/bin/python", "-m", "ops.process.serve", "start", "--version", "1.0")


@pytest.fixture(scope="module")
def folder(breakable: Project) -> Iterator[Project]:
    """A project without a server. Afterwards, it stops any server that a test left."""
    yield breakable
    end(breakable)


@pytest.fixture
def serving(folder: Project) -> Project:
    """A project with a server that logs text."""
    if server.running(folder.settings) is None:
        folder.run(*SERVE)
    return folder


def front_ends(project: Project) -> list[int]:
    """Every JVM that was started from the project's folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(state.FOLDER) == str(project.folder.resolve()) and process.name() == "java":
                found.append(process.pid)
        except (psutil.Error, OSError):
            continue
    return found


def serve(project: Project, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    own = {**environment(), **variables}
    return subprocess.run(
        [*SERVE, *options], cwd=project.folder, env=own, capture_output=True, text=True, timeout=900, check=False
    )


def test_two_starts_at_once_leave_one_server(folder: Project) -> None:
    starts = [
        subprocess.Popen(SERVE, cwd=folder.folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _ in range(2)
    ]
    said = [start.communicate(timeout=900)[0].decode() for start in starts]
    assert [start.returncode for start in starts] == [0, 0], said
    assert sum("starting TorchServe" in one for one in said) == 1
    assert front_ends(folder) == [server.running(folder.settings)]


def test_doomed_start_fails_before_the_running_server_is_stopped(serving: Project) -> None:
    before = server.running(serving.settings)
    refused = serve(serving, LOG_FORMAT="xml")
    assert (refused.returncode, refused.stderr) == (1, "serve: LOG_FORMAT: got 'xml', allowed: text, json\n")
    config = serving.folder / "config.properties"
    usual, times = config.read_text(), config.stat()
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = str(other.getsockname()[1])
        config.write_text(usual.replace(serving.ports["8082"], taken))
        refused = serve(serving, "--auth", "on")
    config.write_text(usual)
    os.utime(config, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"serve: 127.0.0.1:{taken} is not free")
    assert not auth.is_on(serving.settings)  # a failed start does not change the setting
    assert server.running(serving.settings) == before
    assert answers(serving)


def test_changed_log_format_restarts_the_server(serving: Project) -> None:
    before = server.running(serving.settings)
    assert serve(serving, LOG_FORMAT="json").returncode == 0
    assert server.running(serving.settings) != before
    log = serving.folder / "logs" / "console.log"
    wait_until(lambda: '{"time":' in log.read_text(), "a line in JSON")


def test_server_with_a_damaged_state_file_can_be_stopped(serving: Project) -> None:
    note = serving.folder / ".run" / "server.json"
    note.write_text("")
    said = serving.make("stop")
    assert f"{note}: Expecting value" in said
    assert "stopped" in said
    assert front_ends(serving) == []
    for address in serving.settings.listens:
        socket.create_server(address).close()
