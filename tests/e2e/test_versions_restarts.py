"""What a start serves: the versions from before a kill, but none that was never promoted."""

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from ops.store.record import read_record
from ops.versions.rollout import Rollout
from tests.e2e.project import Project, copy_project
from tests.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("alone_afterwards")]


def test_killed_server_restarts_with_the_same_versions(both: Project, pair: dict[str, Any]) -> None:
    Rollout(both.client, both.settings).promote("1.1")
    os.kill(json.loads((both.folder / ".run" / "server.json").read_text())["pid"], signal.SIGKILL)
    assert "Serving version 1.1" in both.make("serve")
    assert both.versions == {"1.0": False, "1.1": True}
    assert both.ask(pair).headers["X-Model-Version"] == "1.1"
    wait_until(lambda: both.client.is_ready("1.0"), "version 1.0")
    assert both.ask(pair, "1.0").headers["X-Model-Version"] == "1.0"


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
