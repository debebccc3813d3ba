"""A copy of the project in its own folder, on free ports, so that other running servers do not matter."""

import fcntl
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser

from ops.client import Client
from ops.process import server
from ops.settings import ServerSettings, read_settings
from ops.store.archives import start_with
from ops.versions.rollout import Rollout
from tests.e2e import plain_http
from tests.e2e.browser import browser
from tests.e2e.image import Image, can_isolate, values
from train.dataset.demo import write_demo

ROOT = Path(__file__).parents[2]
QUICK = "--factors.probe-sweeps 2 --factors.max-sweeps 2 --factors.score-sweeps 2 --factors.epochs 1"
PORTS = ("8080", "8081", "8082", "7070", "7071")
# Blocks of ports above Ray's and below those that a system gives to clients. Each process of the tests has its own.
_PROCESS = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_PROCESSES = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_BLOCKS = range(20_000 + 10 * _PROCESS, 32_000, 10 * _PROCESSES)
_FIRST_PORTS = iter(random.sample(_BLOCKS, len(_BLOCKS)))


@dataclass(frozen=True)
class Project:
    """A working copy, and the addresses of its server."""

    folder: Path
    ports: dict[str, str]

    @property
    def settings(self) -> ServerSettings:
        return read_settings(self.folder / "config.properties", self.folder)

    @property
    def client(self) -> Client:
        return Client(self.settings)

    @property
    def versions(self) -> dict[str, bool]:
        """The registered versions, and whether each is the default."""
        return {one["version"]: one["default"] for one in self.client.versions()}

    @property
    def default_version(self) -> str:
        [version] = [name for name, default in self.versions.items() if default]
        return version

    def on_our_ports(self, text: str) -> str:
        """The text with the usual ports replaced by ours."""
        for usual, ours in self.ports.items():
            text = text.replace(f":{usual}", f":{ours}").replace(f"={usual}", f"={ours}")
        return text

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs a command in the copy."""
        done = subprocess.run(command, cwd=self.folder, env=environment(), capture_output=True, text=True, timeout=900)
        assert not check or done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
        return done

    def make(self, *arguments: str, check: bool = True) -> str:
        done = self.run("make", "--no-print-directory", *arguments, check=check)
        return done.stdout + done.stderr

    def ask(self, body: Any, version: str | None = None) -> httpx.Response:
        """Posts JSON, or unchanged bytes."""
        url = f"{self.settings.inference}/predictions/ncf" + (f"/{version}" if version else "")
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        headers = {"content-type": "application/json"}
        return plain_http.post(url, **content, headers=headers)


def environment() -> dict[str, str]:
    """The environment of a user's shell, without the variables of make and Python."""
    dropped = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHONPATH", "VIRTUAL_ENV"}
    return {name: value for name, value in os.environ.items() if name not in dropped}


def copy_project(folder: Path, workers: int = 1) -> Project:
    """Copies all files that git tracks or would track. The copy shares the environment and uses free ports.

    workers: for each version; 0 means one per core, as users have it. Each costs two seconds of CPU at every start.
    """
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        target = folder / name
        if (ROOT / name).is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    (folder / ".venv").symlink_to(Path(sys.executable).parent.parent)
    project = Project(folder, dict(zip(PORTS, free_ports(len(PORTS)), strict=True)))
    for name in ("config.properties", "Makefile"):
        path = folder / name
        path.write_text(project.on_our_ports(path.read_text()))
        if workers and name == "config.properties":
            path.write_text(f"{path.read_text()}\ndefault_workers_per_model={workers}\n")
        shutil.copystat(ROOT / name, path)
    return project


def copy_trained(trained: Path, folder: Path, workers: int = 1) -> Project:
    """The same, with the versions of `trained`."""
    copy = copy_project(folder, workers)
    for name in ("build", "model-store"):
        shutil.copytree(trained / name, copy.folder / name)
    return copy


def free_ports(number: int) -> list[str]:
    """Consecutive free ports that no other call gives."""
    while True:
        first = next(_FIRST_PORTS)
        ports = range(first, first + number)
        if all(map(is_free, ports)):
            return [str(port) for port in ports]


def is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


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
        status = process.wait(timeout=120)
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
