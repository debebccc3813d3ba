"""The image, run as its user on a read-only root: it becomes ready, answers from outside, and stops cleanly."""

import json
import shutil

import psutil
import pytest

from tests.e2e.conftest import Running
from tests.e2e.image import values
from tests.e2e.project import free_ports
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e
ANY = {"::": "0.0.0.0"}  # the JVM's IPv6 sockets also accept IPv4


def listening(running: Running) -> set[str]:
    """The addresses that the front end is bound to, with the usual ports."""
    usual = {ours: usual for usual, ours in running.project.ports.items()}
    pid = json.loads((running.image.folder / ".run" / "server.json").read_text())["pid"]
    bound = (one.laddr for one in psutil.Process(pid).net_connections("tcp") if one.status == "LISTEN")
    return {f"{ANY.get(one.ip, one.ip.removeprefix('::ffff:'))}:{usual[str(one.port)]}" for one in bound}


def test_container_is_ready_only_after_a_prediction(running: Running) -> None:
    wait_until(lambda: "answers at" in running.console.read_text(), "the supervisor sees it answer")
    check = json.loads(values("HEALTHCHECK")[0].split("CMD", 1)[1])
    assert running.image.run(*check).returncode == 0
    assert running.project.ask({"user_id": 4227, "top_k": 1}).status_code == 200


def test_inference_is_reached_from_outside_and_management_is_not(running: Running) -> None:
    assert listening(running) == {
        *("0.0.0.0:8080", "0.0.0.0:8082"),  # metrics as the Deployment opens them
        *("127.0.0.1:8081", "127.0.0.1:7070", "127.0.0.1:7071"),
    }


def test_container_has_the_images_user_and_no_capability(running: Running) -> None:
    told = running.image.run(
        "sh", "-c", "id -u; grep CapEff /proc/self/status; touch config.properties || echo refused"
    )
    assert told.stdout.split()[:3] == ["10001", "CapEff:", "0000000000000000"]
    assert told.stdout.splitlines()[-1] == "refused"


def test_a_check_without_a_server_says_why(running: Running) -> None:
    folder = running.image.folder / "tmp"
    [port] = free_ports(1)
    shutil.copy(running.image.folder / "config.properties", folder)
    address = f"TS_INFERENCE_ADDRESS=http://127.0.0.1:{port}"
    here = f"cd {folder} && {address} PYTHONPATH={running.image.folder} python -m ops.ready"
    told = running.image.run("sh", "-c", here)
    assert told.returncode == 1
    assert f"127.0.0.1:{port}" in told.stdout


def test_output_of_the_container_contains_the_servers_log(running: Running) -> None:
    whole, _, _ = running.console.read_text().rpartition("\n")  # the last line may be incomplete
    lines = [json.loads(line) for line in whole.splitlines() if line.startswith("{")]
    assert any("serving version 1.0" in line["message"] for line in lines)
