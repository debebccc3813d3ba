"""Two versions side by side: the verbs that change them, run through make while clients send requests."""

import os
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ops.process.locks import only_verb
from ops.store.record import read_record
from ops.versions.rollout import Rollout
from tests.e2e.failing import scale, workers
from tests.e2e.project import Project, environment
from tests.e2e.test_serving import in_process
from tests.waiting import DEADLINE_S, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("alone_afterwards")]


def verb(project: Project, *words: str) -> subprocess.Popen[str]:
    """A running `python -m ops.versions`."""
    command = [".venv/bin/python", "-m", "ops.versions", *words]
    return subprocess.Popen(command, cwd=project.folder, env=environment(), stdout=subprocess.PIPE, text=True)


def test_a_version_is_registered_promoted_and_the_old_one_removed(served: Project, pair: dict[str, Any]) -> None:
    expected = {version: in_process(served, [pair], version)[0] for version in ("1.0", "1.1")}
    assert abs(expected["1.0"] - expected["1.1"]) > 1e-3

    with verb(served, "register", "--version", "1.1") as registering:
        wait_until(lambda: "1.1" in served.versions, "version 1.1")
        registering.terminate()
    assert registering.returncode == 130
    assert served.versions == {"1.0": True}

    served.make("register", "VERSION=1.1")
    told = served.make("register", "VERSION=1.1", check=False)
    assert "versions: version 1.1 is already registered: `make unregister VERSION=1.1` first" in told
    assert served.default_version == "1.0"
    for version, rating in expected.items():
        assert served.ask(pair, version).json()["rating"] == pytest.approx(rating, abs=1e-5)
    assert served.ask(pair).json()["rating"] == pytest.approx(expected["1.0"], abs=1e-5)

    served.make("promote", "VERSION=1.1")
    assert served.default_version == "1.1"
    assert served.ask(pair).json()["rating"] == pytest.approx(expected["1.1"], abs=1e-5)

    served.make("unregister", "VERSION=1.0")
    assert "is the only one" in served.make("unregister", "VERSION=1.1", check=False)
    served.make("stop")
    assert "Serving version 1.1" in served.make("serve")  # a start serves the promoted version
    assert [one["version"] for one in served.client.versions()] == ["1.1"]
    assert served.ask(pair, "1.0").status_code == 404

    rollout = Rollout(served.client, served.settings)
    rollout.register("1.0")
    rollout.promote("1.0")
    rollout.unregister("1.1")
    assert served.versions == {"1.0": True}


def test_a_version_is_registered_with_as_many_workers_as_the_default_has(served: Project) -> None:
    scale(served, 2, "1.0")
    try:
        Rollout(served.client, served.settings).register("1.1")
        assert [one["status"] for one in workers(served, "1.1").values()] == ["READY"] * 2
    finally:
        for version in served.versions:
            scale(served, 1, version)


def test_every_answer_names_the_version_that_it_came_from(both: Project, pair: dict[str, Any]) -> None:
    for version in ("1.0", "1.1"):
        bodies: list[Any] = [pair, {"user_id": "x"}, b"{", b"[" * 10_000, {"inputs": []}]
        for body in bodies:
            assert both.ask(body, version).headers["X-Model-Version"] == version
    assert both.ask(pair).headers["X-Model-Version"] == "1.0"


def test_verbs_at_the_same_time_leave_server_and_record_alike(both: Project) -> None:
    with only_verb(both.settings, "this test"):
        waiting = verb(both, "promote", "--version", "1.1")
        assert waiting.stdout is not None
        assert waiting.stdout.readline() == "waiting for `this test` to end ...\n"
        assert both.default_version == "1.0"
    others = [verb(both, *words.split()) for words in ("promote --version 1.0", "rollback", "promote --version 1.1")]
    for one in (waiting, *others):
        one.communicate(timeout=DEADLINE_S)
    assert waiting.returncode == 0
    assert read_record(both.settings.model_store).default == both.default_version


def test_version_that_clients_name_is_not_removed(both: Project, pair: dict[str, Any]) -> None:
    with ThreadPoolExecutor(1) as pool:
        over = threading.Event()

        def ask_by_name() -> set[int]:
            found = set()
            while not over.is_set():
                found.add(both.ask(pair, "1.1").status_code)
            return found

        asking = pool.submit(ask_by_name)
        try:
            told = both.make("unregister", "VERSION=1.1", check=False)
        finally:
            over.set()
        assert "versions: version 1.1 was not removed: " in told
        assert asking.result() == {200}
    assert "move those clients first" in told
    both.make("unregister", "VERSION=1.1")


def test_replaced_default_answers_its_requests_before_removal(both: Project, pair: Any) -> None:
    """Blocks the workers for longer than a removal waits for requests by name."""
    rollout = Rollout(both.client, both.settings)
    pids = [worker["pid"] for one in both.client.versions() if one["default"] for worker in one["workers"]]
    with ThreadPoolExecutor(20) as pool:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            asked = [pool.submit(both.ask, pair) for _ in range(16)]
            time.sleep(1)
            rollout.promote("1.1")
            removed = pool.submit(rollout.unregister, "1.0")
            time.sleep(2.5)
            assert not removed.done()
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
        answers = [one.result() for one in asked]
        removed.result()
    assert {answer.status_code for answer in answers} == {200}
    assert "1.0" in {answer.headers["X-Model-Version"] for answer in answers}  # it still had requests
    assert both.versions == {"1.1": True}
    assert "rolled back to version 1.0" in both.make("rollback")  # registered again first
    assert both.versions == {"1.0": True, "1.1": False}


def test_rollback_goes_back_one_default_at_a_time(both: Project, pair: dict[str, Any]) -> None:
    store = both.settings.model_store
    before = len(read_record(store).defaults)
    both.make("promote", "VERSION=1.1")
    assert "rolled back to version 1.0" in both.make("rollback")
    assert both.versions == {"1.0": True, "1.1": False}
    assert both.ask(pair).headers["X-Model-Version"] == "1.0"
    assert len(read_record(store).defaults) == before
    (store / "versions").write_text("default 1.0\nregistered 1.0 1.1\npromoted 1.0 2026-01-31T09:00:00Z\n")
    told = both.make("rollback", check=False)
    assert "versions: nothing to roll back to: no version was the default before 1.0" in told


def test_default_set_without_the_verbs_is_reported(both: Project) -> None:
    both.client.promote("1.1")
    told = both.make("versions")
    assert "the default is 1.1, a restart serves 1.0: `make promote VERSION=1.1` records it" in told
    both.make("rollback")  # the record has the earlier defaults
    assert both.default_version == "1.0"
    assert "a restart" not in both.make("versions")
    both.client.unregister("1.1")
    assert "version 1.1 is not registered, a restart brings it back" in both.make("versions")
    both.client.register("1.1", workers=1)
