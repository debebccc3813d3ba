"""Trained copies of the project, and the servers that tests share."""

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from ops.process import server
from ops.store.archives import start_with
from ops.versions.rollout import Rollout
from tests.e2e.browser import browser
from tests.e2e.image import Image, can_isolate, values
from tests.e2e.project import PORTS, Project, copy_project, copy_trained, free_ports
from tests.waiting import DEADLINE_S
from train.dataset.demo import write_demo

QUICK = "--factors.probe-sweeps 2 --factors.max-sweeps 2 --factors.score-sweeps 2 --factors.epochs 1"


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with versions 1.0 and 1.1, trained briefly on the embedded data set. All processes of a run share it."""
    common = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        common = common.parent
    folder = common / "trained"
    with (common / "trained.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed
        if not folder.exists():
            making = copy_project(common / "making")
            write_demo(making.folder / "build" / "demo")
            making.make("package", f"TRAIN_ARGS={QUICK} --seed 1")
            making.make("package", "VERSION=1.1", f"TRAIN_ARGS={QUICK} --seed 2")
            making.folder.rename(folder)
    return folder


@pytest.fixture(scope="session")
def project(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A copy with both versions; no server runs yet."""
    project = copy_trained(trained, tmp_path_factory.mktemp("project"))
    yield project
    end(project)


def end(project: Project) -> None:
    """Ends the project's server at once. A stop by make would wait four seconds for TorchServe's farewell."""
    server.stop(project.settings, timeout_s=0)


@pytest.fixture(scope="session")
def served(project: Project) -> Project:
    """The same, serving version 1.0."""
    project.make("serve")
    return project


@pytest.fixture(scope="session")
def served_by_asgi(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A second copy with the same archives, served by the ASGI server in a process for each core."""
    copy = copy_trained(trained, tmp_path_factory.mktemp("asgi"), workers=0)
    copy.make("serve", "SERVER=asgi")
    yield copy
    end(copy)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for the tests of one module, because its event loop would disturb other modules."""
    with browser() as started:
        yield started


@pytest.fixture
def both(served: Project) -> Iterator[Project]:
    """The server with versions 1.0 (the default) and 1.1 registered."""
    if "1.1" not in served.versions:
        Rollout(served.client, served.settings).register("1.1")
    yield served
    Rollout(served.client, served.settings).promote("1.0")


@pytest.fixture(scope="module")
def alone_afterwards(served: Project) -> Iterator[None]:
    """Restores the state that other modules expect: only version 1.0."""
    yield
    if "1.1" in served.versions:
        Rollout(served.client, served.settings).unregister("1.1")


@pytest.fixture
def pair(served: Project) -> dict[str, Any]:
    """A body that asks for one rating."""
    example = served.client.describe()["example"]
    return {"user_id": example["user_id"], "movie_id": example["movie_ids"][0]}


@dataclass(frozen=True)
class Running:
    """The running image, with a model that fails for the user `breaks_on`, and its output."""

    image: Image
    project: Project
    process: subprocess.Popen[str]
    console: Path
    breaks_on: int = -13


@pytest.fixture(scope="session")
def running(project: Project) -> Iterator[Running]:
    """The container's image, run without a container engine, with open metrics as on Kubernetes; it is ready."""
    if not can_isolate():
        pytest.skip("needs namespaces: root on Linux")
    folder = Path(tempfile.mkdtemp(prefix="ncf-image-"))  # short: a socket's path may have 107 characters
    image = Image(folder / "srv")
    image.lay()
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    laid = Project(image.folder, ports)
    config = image.folder / "config.properties"
    config.write_text(laid.on_our_ports(config.read_text()))
    shutil.copytree(pack_one_that_breaks(project, folder / "source"), image.folder / "model-store", dirs_exist_ok=True)
    inference = laid.on_our_ports(image.environment()["TS_INFERENCE_ADDRESS"])
    image.own = {"TS_METRICS_ADDRESS": f"http://0.0.0.0:{ports['8082']}", "TS_INFERENCE_ADDRESS": inference}
    console = folder / "console.log"
    with console.open("w") as output:
        process = image.start(*json.loads(values("ENTRYPOINT")[0]), output=output)
    try:
        waited = image.run("python", "-m", "ops.ready", "--wait-s", "240")
        assert waited.returncode == 0, waited.stdout + console.read_text()
        yield Running(image, laid, process, console)
    finally:
        process.terminate()
        status = process.wait(DEADLINE_S)
        shutil.rmtree(folder)
    assert status == 0, "the container did not stop cleanly"


def pack_one_that_breaks(project: Project, folder: Path) -> Path:
    """A model store with the project's versions; their code raises for one user."""
    source = copy_project(folder)
    code = source.folder / "model" / "predictor.py"
    broken = f"""
_answer = Predictor.answer
def answer(self, asks):
    if any({Running.breaks_on} in (getattr(ask, "user_id", None), *getattr(ask, "user_ids", ())) for ask in asks):
        raise RuntimeError('a "broken" one\\t\\nof two lines')
    return _answer(self, asks)
Predictor.answer = answer
"""
    code.write_text(code.read_text() + broken)
    for version in ("1.0", "1.1"):
        artifact = project.folder / "build" / version / "ncf.pt"
        source.run(".venv/bin/python", "-m", "train.package", "--artifact", str(artifact), "--version", version)
    start_with(source.folder / "model-store", "1.0")
    return source.folder / "model-store"


@pytest.fixture(scope="session")
def breakable(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A second copy with the same archives, two workers and a short queue, for failure tests; no server runs yet."""
    copy = copy_trained(trained, tmp_path_factory.mktemp("breakable"), workers=2)
    config = copy.folder / "config.properties"
    config.write_text(config.read_text().replace("job_queue_size=1000", "job_queue_size=100"))
    return copy


@pytest.fixture(scope="module")
def breaking(breakable: Project) -> Iterator[Project]:
    """The same, with a server of version 1.0 for the tests of one file."""
    server.start(breakable.settings)
    server.wait_until_ready(breakable.settings)
    yield breakable
    end(breakable)
