"""An archive that cannot be served is refused with a one-line reason, and the running server does not change."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from model.artifact import SCHEMA_VERSION
from ops import auth
from ops.process import server
from ops.store.archives import start_archive, start_version, start_with
from tests.e2e import plain_http
from tests.e2e.altered import alter, alter_artifact
from tests.e2e.conftest import end
from tests.e2e.failing import answers
from tests.e2e.project import Project

pytestmark = pytest.mark.e2e

REASONS = {
    "damaged": "the content does not match its digest: the file was altered or damaged",
    "future": f"schema_version: got {SCHEMA_VERSION + 1}, allowed: 1 to {SCHEMA_VERSION}",
}


@pytest.fixture(scope="module")
def store(breakable: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model store with `ncf-cut.mar`, `ncf-damaged.mar` and `ncf-future.mar` beside the good ones."""
    store, folder = breakable.settings.model_store, tmp_path_factory.mktemp("artifacts")
    good = (store / "ncf-1.0.mar").read_bytes()
    (store / "ncf-cut.mar").write_bytes(good[: len(good) // 2])
    artifact = breakable.folder / "build" / "1.0" / "ncf.pt"
    alter_artifact(artifact, folder / "damaged.pt", {}, shift=0.1)
    alter_artifact(artifact, folder / "future.pt", {"schema_version": SCHEMA_VERSION + 1})
    for name in REASONS:
        altered = (folder / f"{name}.pt").read_bytes()
        pack(store / "ncf-1.0.mar", store / f"ncf-{name}.mar", name, altered)
    return store


def pack(archive: Path, target: Path, version: str, artifact: bytes) -> None:
    alter(archive, target, version, lambda name, data: artifact if name == "ncf.pt" else data)


@pytest.fixture
def starting_with(breakable: Project, store: Path) -> Iterator[None]:
    """Lets a test change the version of the next start. Afterwards no server runs, and a start serves 1.0 again."""
    yield
    end(breakable)
    assert start_version(store) == "1.0"


def register(project: Project, version: str) -> httpx.Response:
    query = f"url=ncf-{version}.mar&model_name=ncf&initial_workers=1&synchronous=false"
    return plain_http.post(f"{project.settings.management}/models?{query}")


@pytest.mark.usefixtures("starting_with")
def test_failed_registration_is_reported_and_the_old_version_serves(breakable: Project) -> None:
    server.start(breakable.settings)
    server.wait_until_ready(breakable.settings)
    by_curl = register(breakable, "cut")
    assert (by_curl.status_code, by_curl.json()["message"]) == (500, "Failed to save model: ncf-cut.mar")
    said = breakable.make("register", "VERSION=cut", check=False)
    assert "ncf-cut.mar: " in said
    assert "archive" in said
    assert "Traceback" not in said
    for name, reason in REASONS.items():
        said = breakable.make("register", f"VERSION={name}", check=False)
        assert reason in said
        assert "Traceback" not in said
        assert [one["version"] for one in breakable.client.versions()] == ["1.0"]
        assert answers(breakable)


@pytest.mark.usefixtures("starting_with")
@pytest.mark.parametrize("name", ["cut", "damaged"])
def test_failed_start_is_reported_and_leaves_no_process(breakable: Project, name: str) -> None:
    modules = ("ops.process.supervise", "ops.process.serve start") if name == "cut" else ("ops.process.supervise",)
    for module in modules:
        done = breakable.run(".venv/bin/python", "-m", *module.split(), "--version", name, "--auth", "on", check=False)
        assert done.returncode == 1
        assert (REASONS.get(name) or "ncf-cut.mar: ") in done.stderr
        assert "Traceback" not in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert server.running(breakable.settings) is None
        assert not auth.is_on(breakable.settings)  # a failed start does not change the setting
    assert not (breakable.folder / ".run" / "server.json").exists()


def test_advice_of_a_refusal_packs_the_archive_again(breakable: Project) -> None:
    check = (".venv/bin/python", "-m", "ops.store.digests", "--version", "1.1")
    archive = breakable.settings.model_store / "ncf-1.1.mar"
    archive.write_bytes(archive.read_bytes()[:1000])
    refused = breakable.run(*check, check=False)
    assert refused.returncode == 1
    [command] = re.findall(r"`(.*)`", refused.stderr)
    breakable.run("bash", "-ec", command)
    assert breakable.run(*check).stdout.endswith("model-store/ncf-1.1.mar\n")


@pytest.mark.usefixtures("starting_with")
def test_damaged_default_can_be_rolled_back_without_a_server(breakable: Project) -> None:
    store = breakable.settings.model_store
    start_with(store, "cut")
    assert "ncf-cut.mar: " in breakable.run(".venv/bin/python", "-m", "ops.process.supervise", check=False).stderr
    assert "no server runs here: the next start serves version 1.0" in breakable.make("rollback")
    assert start_version(store) == "1.0"
    assert start_archive(store).samefile(store / "ncf-1.0.mar")
