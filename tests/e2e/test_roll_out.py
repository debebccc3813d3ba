"""The roll-out over replicas, with a stand-in for kubectl that has one replica: the running image."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import Running
from tests.e2e.image import ROOT

pytestmark = pytest.mark.e2e
KUBECTL = """#!/bin/sh
[ "$1" = --namespace ] && shift 2
[ "$1" = get ] && exec echo pod/ncf-0
while [ "$1" != -- ]; do shift; done
shift
cd {folder} && exec env PATH={path} "$@"
"""


def roll_out(running: Running, folder: Path, version: str) -> subprocess.CompletedProcess[str]:
    kubectl = folder / "kubectl"
    kubectl.write_text(KUBECTL.format(folder=running.image.folder, path=running.image.environment()["PATH"]))
    kubectl.chmod(0o755)
    command = [str(ROOT / "ops" / "kubernetes" / "roll_out.sh"), version, "--namespace", "ncf"]
    path = f"{folder}:{os.environ['PATH']}"
    return subprocess.run(command, env={"PATH": path}, capture_output=True, text=True, timeout=900)


def answered_by(running: Running) -> str:
    return running.project.ask({"user_id": 4227, "top_k": 1}).headers["x-model-version"]


def test_a_version_is_rolled_out_and_back(running: Running, tmp_path: Path) -> None:
    assert answered_by(running) == "1.0"
    for version in ("1.1", "1.0"):
        done = roll_out(running, tmp_path, version)
        assert done.returncode == 0, done.stdout + done.stderr
        assert answered_by(running) == version
        assert [one["version"] for one in running.project.client.versions()] == [version]


def test_a_version_that_a_replica_refuses_changes_nothing(running: Running, tmp_path: Path) -> None:
    done = roll_out(running, tmp_path, "9.9")
    assert done.returncode == 1
    assert "refused version 9.9" in done.stderr
    assert "promote" not in done.stdout
    assert answered_by(running) == "1.0"
