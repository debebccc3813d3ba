"""The ASGI server on Python 3.14: it serves an archive that was packed here, and gives the answers that are given here.

`PYTHON_3_14` names an interpreter of an environment with the groups serve and asgi; by default, python3.14 on the path.
"""

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import orjson
import pytest

from handler.oip_codec import HEADER_LENGTH
from model.artifact import Artifact, save_artifact
from ops.asgi.archives import unpack
from ops.asgi.versions import Versions, load_versions
from ops.ports import free_ports
from tests.conftest import MOVIE_IDS, USER_IDS
from tests.e2e import plain_http
from tests.handler.bodies import columns, good, spoilt, written
from tests.handler.test_second_server import CONTRACT
from tests.ops.asgi.conftest import application, asking
from tests.waiting import wait_until
from train.package import PackageConfig, package

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[3]
NEEDED = "torch, numpy, orjson, yaml, httpx, psutil, uvicorn, uvloop, httptools, prometheus_client"


@pytest.fixture
def python() -> str:
    """Python 3.14 with the packages of the server."""
    python = os.environ.get("PYTHON_3_14") or shutil.which("python3.14")
    if python is None:
        pytest.skip("no python3.14 on the path, and PYTHON_3_14 names none")
    done = subprocess.run([python, "-c", f"import {NEEDED}"], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"{python} has not all packages: {done.stderr.splitlines()[-1]}")
    return python


@pytest.fixture
def store(ranked_artifact: Artifact, tmp_path: Path) -> Path:
    """A model store with version 1.0."""
    save_artifact(ranked_artifact, tmp_path / "ncf.pt")
    package(PackageConfig("1.0", tmp_path / "ncf.pt", tmp_path / "store")).rename(tmp_path / "store" / "ncf.mar")
    return tmp_path / "store"


@pytest.fixture
def versions(store: Path, tmp_path: Path) -> Versions:
    """The same version, loaded here."""
    unpack([store / "ncf.mar"], tmp_path / "unpacked")
    return load_versions(tmp_path / "unpacked", lambda _version, _settings: None)


@pytest.fixture
def address(python: str, store: Path, tmp_path: Path) -> Iterator[str]:
    """The address of a server on Python 3.14."""
    config = tmp_path / "config.properties"
    address = f"http://127.0.0.1:{free_ports(1)[0]}"
    lines = (f"inference_address={address}", f"management_address={address}", "default_workers_per_model=1")
    config.write_text("\n".join((*lines, f"model_store={store}\n")))
    with (tmp_path / "console.log").open("w") as console:
        command = [python, "-m", "ops.asgi", "--config", str(config)]
        server = subprocess.Popen(command, cwd=ROOT, stdout=console, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: server.poll() is not None or answers(address), (tmp_path / "console.log").read_text)
        assert server.poll() is None, (tmp_path / "console.log").read_text()
        yield address
    finally:
        server.terminate()
        assert server.wait(60) == 0, (tmp_path / "console.log").read_text()


def answers(address: str) -> bool:
    try:
        return plain_http.get(f"{address}/v2/health/ready").status_code == 200
    except httpx.TransportError:
        return False


def asked() -> Iterator[tuple[bytes, dict[str, str]]]:
    """Bodies of every protocol, right and wrong ones, with their headers."""
    for body in CONTRACT:
        yield body if isinstance(body, bytes) else orjson.dumps(body), {}
    for seed in range(150):
        dice = random.Random(seed)
        value, tail = (
            columns(dice, USER_IDS, MOVIE_IDS) if dice.random() < 0.3 else (good(dice, USER_IDS, MOVIE_IDS), b"")
        )
        text = written(dice, spoilt(dice, value) if dice.random() < 0.3 else value)
        yield text + tail, {HEADER_LENGTH: str(len(text))} if tail else {}


def test_server_on_python_3_14_gives_the_answers_of_this_python(address: str, versions: Versions) -> None:
    here = application(versions)
    for path in ("/predictions/ncf", "/explanations/ncf"):
        for body, own in asked():
            headers = {**own, "content-type": "application/json"}
            got = plain_http.post(f"{address}{path}", content=body, headers=headers)
            expected = asking(here, lambda client: client.post(path, content=body, headers=headers))  # noqa: B023
            assert (got.status_code, got.content) == (expected.status_code, expected.content), body
