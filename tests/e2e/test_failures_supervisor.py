"""A front end (JVM) that is killed or hangs is restarted with the same version."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ops.process import server, state
from tests.e2e.failing import Asked, answers, needs_load
from tests.e2e.project import Project
from tests.e2e.supervised import Supervised, supervised
from tests.waiting import DEADLINE_S

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def kept_up(breakable: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervised]:
    with supervised(breakable, tmp_path_factory.mktemp("supervisor")) as one:
        yield one


def server_processes(project: Project) -> list[psutil.Process]:
    noted = state.read(project.settings)
    return list(state.family(noted["scratch"])) if noted else []


@needs_load
def test_killed_front_end_restarts_with_the_same_version(kept_up: Supervised) -> None:
    project = kept_up.project
    asked = Asked(project)
    [before] = project.client.versions()
    old, times = server_processes(project), kept_up.said.count("answers at")
    os.kill(kept_up.front_end(), signal.SIGKILL)
    kept_up.wait_for("answers at", times + 1)
    assert not any(process.is_running() for process in old)  # its workers have ended too
    [after] = project.client.versions()
    assert (after["version"], after["default"]) == (before["version"], True)
    with asked.load(rate_per_s=50, seconds=1) as load:
        assert (load.result().status == 200).all()
        assert asked.wrong(load.result()) == 0


def test_supervisor_retries_while_the_model_store_is_missing(kept_up: Supervised) -> None:
    store, times = kept_up.project.settings.model_store, kept_up.said.count("answers at")
    elsewhere = store.rename(store.with_name("elsewhere"))
    try:
        assert answers(kept_up.project)  # the running server does not need the store
        assert "no such archive" in kept_up.project.make("register", "VERSION=1.1", check=False)
        os.kill(kept_up.front_end(), signal.SIGKILL)
        kept_up.wait_for("the start failed: ")
        failed = [line for line in kept_up.said.splitlines() if "the start failed: " in line]
        assert all("no such archive" in line for line in failed)
    finally:
        elsewhere.rename(store)
    kept_up.wait_for("answers at", times + 1)


def test_second_supervisor_in_a_folder_is_refused(kept_up: Supervised) -> None:
    second = kept_up.project.run(".venv/bin/python", "-m", "ops.process.supervise", check=False)
    assert second.returncode == 1
    assert second.stderr.startswith(f"supervise: another supervisor runs here, PID {kept_up.process.pid}")
    assert answers(kept_up.project)


def test_start_beside_a_supervisor_needs_the_same_settings(kept_up: Supervised) -> None:
    serve = (".venv/bin/python", "-m", "ops.process.serve", "start", "--version")
    before = kept_up.front_end()
    assert "Serving version 1.0" in kept_up.project.run(*serve, "1.0").stdout
    refused = kept_up.project.run(*serve, "1.1", check=False)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"serve: a supervisor runs here, PID {kept_up.process.pid}, and its")
    assert kept_up.process.poll() is None
    assert kept_up.front_end() == before
    assert answers(kept_up.project)


def test_server_of_a_killed_supervisor_is_taken_over(kept_up: Supervised, tmp_path: Path) -> None:
    project, front_end = kept_up.project, kept_up.front_end()
    kept_up.process.kill()
    kept_up.process.wait()
    assert answers(project)
    with Supervised(project, tmp_path / "next.log") as following:
        following.wait_for(f"PID {front_end} was left by another supervisor and answers: watching it")
        assert following.front_end() == front_end
        running = server_processes(project)
        assert "stopped" in project.make("stop")
        assert following.process.wait(DEADLINE_S) == 0
    assert not any(process.is_running() for process in running)
    assert server.running(project.settings) is None
    for address in project.settings.listens:
        socket.create_server(address).close()


def test_a_front_end_that_hangs_is_replaced(breakable: Project, tmp_path: Path) -> None:
    with supervised(breakable, tmp_path, "--unanswered-s", "5") as impatient:
        hanging = impatient.front_end()
        os.kill(hanging, signal.SIGSTOP)
        impatient.wait_for(f"PID {hanging} has reported no ready worker for")
        impatient.wait_for("answers at", times=2)
        assert not psutil.pid_exists(hanging)
        assert answers(breakable)
