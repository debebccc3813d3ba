"""A request waits for no other, and a client that sends ahead of its answers stops nobody."""

import json
import shutil
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest

from ops.process import server
from tests.e2e.conftest import Project, copy_project

pytestmark = pytest.mark.e2e

BODY = json.dumps({"user_id": 1, "movie_id": 2}).encode()


@pytest.fixture(scope="module")
def fresh(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A server that nobody has asked yet; a stock one would wait for 200 ms, so that waiting shows on any machine."""
    copy = copy_project(tmp_path_factory.mktemp("fresh"))
    config = copy.folder / "handler" / "model-config.yaml"
    config.write_text(config.read_text().replace("maxBatchDelay: 1\n", "maxBatchDelay: 200\n"))
    artifact = project.folder / "build" / "1.0" / "ncf.pt"
    copy.run(".venv/bin/python", "-m", "train.package", "--artifact", str(artifact), "--version", "1.0")
    shutil.copy2(copy.folder / "model-store" / "ncf-1.0.mar", copy.folder / "model-store" / "ncf.mar")
    server.start(copy.settings)
    server.wait_until_ready(copy.settings)
    yield copy
    server.stop(copy.settings)


def median_s(project: Project, version: str = "") -> float:
    """How long a lone request takes."""
    url = f"{project.settings.inference}/predictions/ncf{version}"
    took = []
    with httpx.Client(trust_env=False, headers={"content-type": "application/json"}) as client:
        for _ in range(21):
            begun = time.perf_counter()
            assert client.post(url, content=BODY).status_code == 200
            took.append(time.perf_counter() - begun)
    return statistics.median(took)


def test_pipelining_clients_and_ordinary_ones_are_all_answered(fresh: Project) -> None:
    address = urlsplit(fresh.settings.inference)
    request = (
        f"POST /predictions/ncf HTTP/1.1\r\nhost: ncf\r\ncontent-type: application/json\r\n"
        f"content-length: {len(BODY)}\r\n\r\n"
    ).encode() + BODY
    end = time.monotonic() + 5

    def pipelining() -> int:
        answered = 0
        with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
            while time.monotonic() < end:
                connection.sendall(20 * request)
                received = b""
                while received.count(b"HTTP/1.1 200") < 20 or not received.endswith(b"}"):
                    received += connection.recv(65536)
                answered += 20
        return answered

    def ordinary() -> list[float]:
        took = []
        with httpx.Client(trust_env=False, headers={"content-type": "application/json"}) as client:
            while time.monotonic() < end:
                begun = time.monotonic()
                answer = client.post(f"{fresh.settings.inference}/predictions/ncf", content=BODY, timeout=10)
                assert answer.status_code == 200
                took.append(time.monotonic() - begun)
        return took

    with ThreadPoolExecutor(10) as pool:
        ahead = [pool.submit(pipelining) for _ in range(2)]
        usual = [pool.submit(ordinary) for _ in range(8)]
        assert all(one.result() > 0 for one in ahead)
        assert max(max(one.result()) for one in usual) < 5


def test_a_lone_request_does_not_wait_for_others(fresh: Project) -> None:
    assert median_s(fresh) < 0.1


def test_describing_beside_predictions_is_answered(fresh: Project) -> None:
    stop = threading.Event()

    def describe() -> int:
        number = 0
        while not stop.is_set():
            assert fresh.client.describe()["example"]
            number += 1
        return number

    with ThreadPoolExecutor(1) as pool:
        described = pool.submit(describe)
        try:
            median_s(fresh)
        finally:
            stop.set()
        assert described.result() > 0


def test_the_log_says_once_that_nobody_waits(fresh: Project) -> None:
    log = (fresh.folder / "logs" / "console.log").read_text()
    assert log.count("the never-wait plugin forms the batches") == 1
