"""A copy of the project in its own folder, on free ports, so that other running servers do not matter."""

import os
import random
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from ops.client import Client
from ops.settings import ServerSettings, read_settings
from tests.e2e import plain_http

ROOT = Path(__file__).parents[2]
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
