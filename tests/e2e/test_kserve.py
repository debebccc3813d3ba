"""The command of the KServe runtime, with a folder as KServe mounts it, answers both protocols."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from ops.process import state
from tests.e2e import plain_http
from tests.e2e.conftest import Running
from tests.e2e.image import ROOT
from tests.e2e.project import PORTS, Project, free_ports
from tests.waiting import DEADLINE_S, wait_until

pytestmark = pytest.mark.e2e
PAIR = {"user_id": 4227, "movie_id": 66361}


def runtime() -> Any:
    documents = yaml.safe_load_all((ROOT / "ops" / "kubernetes" / "kserve.yaml").read_text())
    [container] = next(one for one in documents if one["kind"] == "ServingRuntime")["spec"]["containers"]
    return container


@pytest.fixture(scope="module")
def url(running: Running) -> Iterator[str]:
    """The inference address of the runtime's own process."""
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    home = running.image.folder / "tmp" / "k"  # a server keeps its PID file and sockets here
    home.mkdir()
    lay(running, home / "models", Project(running.image.folder, ports))
    arguments = [*runtime()["command"], *runtime()["args"]]
    environment = {"STOP_AFTER_S": "0"}
    command = [argument.replace("/mnt/models", str(home / "models")) for argument in arguments]
    environment |= {one["name"]: one["value"] for one in runtime()["env"]}
    environment |= {"TS_INFERENCE_ADDRESS": running.image.environment()["TS_INFERENCE_ADDRESS"]}
    environment = {name: Project(home, ports).on_our_ports(value) for name, value in environment.items()}
    with (home / "console").open("w") as output:
        process = running.image.start(
            *command, output=output, TMPDIR=str(home), TEMP=str(home), LOG_LOCATION=str(home / "logs"), **environment
        )
    try:
        address = f"http://127.0.0.1:{ports['8080']}"
        wait_until(lambda: answers(address), (home / "console").read_text)
        yield address
    finally:
        process.terminate()
        process.wait(DEADLINE_S)
        try:
            wait_until(lambda: not list(state.family(str(home))), "the server ends with the runtime")
        finally:
            for one in state.family(str(home)):
                one.kill()


def lay(running: Running, models: Path, project: Project) -> None:
    """config/config.properties and model-store/ncf.mar, as described in docs/deployment.md."""
    (models / "config").mkdir(parents=True)
    (models / "model-store").mkdir()
    text = project.on_our_ports((ROOT / "config.properties").read_text())
    (models / "config" / "config.properties").write_text(text)
    shutil.copy2(running.image.folder / "model-store" / "ncf.mar", models / "model-store")


def answers(url: str) -> bool:
    try:
        return post(f"{url}/v1/models/ncf:predict", {"instances": []}).status_code == 200
    except httpx.HTTPError:
        return False


def post(url: str, body: Any) -> httpx.Response:
    return plain_http.post(url, json=body)


def test_both_protocols_give_the_rating(url: str, running: Running) -> None:
    rating = running.project.ask(PAIR).json()["rating"]
    first = post(f"{url}/v1/models/ncf:predict", {"instances": [PAIR]})
    assert first.json()["predictions"][0]["rating"] == pytest.approx(rating, abs=1e-5)
    inputs = [{"name": name, "shape": [1], "datatype": "INT64", "data": [value]} for name, value in PAIR.items()]
    second = post(f"{url}/v2/models/ncf/infer", {"inputs": inputs})
    assert second.json()["outputs"][0]["data"] == [pytest.approx(rating, abs=1e-5)]
