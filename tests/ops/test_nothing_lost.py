"""Files of the user are never lost: beside a failed verb, without an environment, or with a name in use."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from model.artifact import Artifact, save_artifact
from ops.build import commands
from ops.build.shelf import VersionError, making
from tests.ops.queries import ROOT
from tests.waiting import wait_until


@pytest.fixture
def project(tmp_path: Path, artifact: Artifact) -> Path:
    """A copy of the code on a path with a space, with the artifact `own-1`, and without an environment in .venv."""
    folder = tmp_path / "a clone"
    for room in ("model", "handler", "train", "ops", "bench"):
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Makefile", "config.properties"):
        shutil.copy2(ROOT / name, folder)
    (folder / "build" / "own-1").mkdir(parents=True)
    save_artifact(artifact, folder / "build" / "own-1" / "ncf.pt")
    return folder


def run(project: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "GIVEN": " ".join(variables), **variables}
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=600)


def build(project: Path, verb: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return run(project, sys.executable, "-m", "ops.build", verb, **variables)


def test_clean_without_an_environment_deletes_versions_only_by_force(project: Path) -> None:
    done = run(project, "make", "clean")
    assert done.returncode == 2
    assert "build/own-1/ncf.pt" in done.stdout
    assert "nothing was deleted: `make clean FORCE=1` deletes them" in done.stderr
    assert (project / "build" / "own-1" / "ncf.pt").is_file()
    assert run(project, "make", "clean", "FORCE=1").returncode == 0
    assert not (project / "build").exists()


def test_failed_update_keeps_existing_files(project: Path) -> None:
    notes = project / "build" / "2.0" / "notes.txt"
    notes.parent.mkdir()
    notes.write_text("mine")
    (project / "bad.csv").write_text("user_id,movie_id,rating\n1,2,99\n")
    done = build(project, "update", FROM="own-1", RATINGS="bad.csv", VERSION="2.0")
    assert done.returncode == 2
    assert "bad.csv:2: rating 99 is outside 1..10" in done.stderr
    assert notes.read_text() == "mine"


def test_changed_settings_need_a_new_version_name(project: Path) -> None:
    assert build(project, "package", VERSION="own-1").returncode == 0
    assert build(project, "package", VERSION="own-1").returncode == 0
    archive = project / "model-store" / "ncf-own-1.mar"
    before = archive.read_bytes()
    config = project / "handler" / "model-config.yaml"
    config.write_text(config.read_text() + "# edited\n")
    refused = build(project, "package", VERSION="own-1")
    assert refused.returncode == 1
    assert "was packed with another handler/model-config.yaml, and a version is never replaced" in refused.stderr
    assert "`make package VERSION=own-2 FROM=own-1`" in refused.stderr
    assert archive.read_bytes() == before
    assert build(project, "package", VERSION="own-2", FROM="own-1").returncode == 0
    assert (project / "model-store" / "ncf-own-2.mar").is_file()


def test_version_stays_locked_until_its_command_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code = (
        "import sys; from pathlib import Path; from ops.build import commands; from ops.build.shelf import making\n"
        "with making(Path('1.0')): commands._run([sys.executable, '-c', 'print(1, flush=True); input()'])"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(commands.__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as verb:
        assert verb.stdout is not None
        assert verb.stdout.readline() == b"1\n"
        verb.kill()
        verb.wait()
        with pytest.raises(VersionError, match=r"version 1\.0 is being made"), making(Path("1.0")):
            pass

    def is_free() -> bool:
        try:
            with making(Path("1.0")):
                return True
        except VersionError:
            return False

    wait_until(is_free, "the lock ends with the command, which ends with its input")
