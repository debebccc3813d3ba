"""A request never waits for others, and a pipelining client delays no other client."""

import json
import os
import select
import shutil
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from ops.frontend.cache import CACHE
from ops.process import server
from ops.versions.rollout import Rollout
from tests.e2e.burst import send_burst
from tests.e2e.conftest import end
from tests.e2e.failing import scale, stopped_worker
from tests.e2e.grpc_client import GrpcClient
from tests.e2e.project import Project, copy_project
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

BODY = json.dumps({"user_id": 1, "movie_id": 2}).encode()
# A single request waits this long without the plugin: longer than any answer takes, on any machine.
DELAY_S = 60
QUICK_S = DELAY_S / 2
# A request to version 1.1 expires after this time.
EXPIRY_S = 5
BURST_REQUESTS = int(os.environ.get("BURST_REQUESTS", "10000"))  # 1000000 is the long form
CLIENTS = 64


@pytest.fixture(scope="module")
def fresh(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A server without any request yet, with version 1.0, and 1.1 in its store. Without the plugin it would wait."""
    copy = copy_project(tmp_path_factory.mktemp("fresh"))
    config = copy.folder / "handler" / "model-config.yaml"
    config.write_text(config.read_text().replace("maxBatchDelay: 1\n", f"maxBatchDelay: {1000 * DELAY_S}\n"))
    for version in ("1.0", "1.1"):
        if version == "1.1":  # its requests expire
            config.write_text(f"clientTimeoutInMills: {1000 * EXPIRY_S}\n{config.read_text()}")
        artifact = project.folder / "build" / version / "ncf.pt"
        copy.run(".venv/bin/python", "-m", "train.package", "--artifact", str(artifact), "--version", version)
    shutil.copy2(copy.folder / "model-store" / "ncf-1.0.mar", copy.folder / "model-store" / "ncf.mar")
    server.start(copy.settings)
    server.wait_until_ready(copy.settings)
    yield copy
    end(copy)


def median_s(project: Project) -> float:
    """The time of a single request."""
    took = []
    with httpx.Client(timeout=120, trust_env=False, headers={"content-type": "application/json"}) as client:
        for _ in range(21):
            begun = time.perf_counter()
            assert client.post(f"{project.settings.inference}/predictions/ncf", content=BODY).status_code == 200
            took.append(time.perf_counter() - begun)
    return statistics.median(took)


def slowest_s(project: Project, version: str, clients: int) -> float:
    """The longest time of a request when this many clients send one each at the same time."""

    def ask(_: int) -> float:
        begun = time.perf_counter()
        with connect(project) as connection:
            connection.sendall(http(BODY, version))
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        return time.perf_counter() - begun

    with ThreadPoolExecutor(clients) as pool:
        return max(pool.map(ask, range(clients)))


def connect(project: Project) -> socket.socket:
    """A connection to the server."""
    address = urlsplit(project.settings.inference)
    return socket.create_connection((address.hostname, address.port), timeout=120)


def http(body: bytes, version: str = "") -> bytes:
    """The request with this body, byte by byte."""
    head = f"POST /predictions/ncf{version} HTTP/1.1\r\nhost: ncf\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def test_pipelining_and_ordinary_clients_are_all_answered(fresh: Project) -> None:
    end = time.monotonic() + 5

    def pipelining() -> int:
        answered = 0
        with connect(fresh) as connection:
            while time.monotonic() < end:
                connection.sendall(20 * http(BODY))
                received = b""
                while received.count(b"HTTP/1.1 200") < 20 or not received.endswith(b"}"):
                    received += connection.recv(65536)
                answered += 20
        return answered

    def slowest() -> float:
        longest = 0.0
        with httpx.Client(timeout=120, trust_env=False, headers={"content-type": "application/json"}) as client:
            while time.monotonic() < end:
                begun = time.monotonic()
                answer = client.post(f"{fresh.settings.inference}/predictions/ncf", content=BODY, timeout=120)
                assert answer.status_code == 200
                longest = max(longest, time.monotonic() - begun)
        return longest

    with ThreadPoolExecutor(10) as pool:
        ahead = [pool.submit(pipelining) for _ in range(2)]
        usual = [pool.submit(slowest) for _ in range(8)]
        assert all(one.result() > 0 for one in ahead)
        assert max(one.result() for one in usual) < QUICK_S


def test_single_request_does_not_wait_for_others(fresh: Project) -> None:
    assert median_s(fresh) < QUICK_S


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


def test_streams_over_grpc_beside_predictions_are_answered(fresh: Project) -> None:
    with GrpcClient(f"127.0.0.1:{fresh.ports['7070']}") as rpc, ThreadPoolExecutor(1) as pool:
        beside = pool.submit(median_s, fresh)
        while not beside.done():
            [answer] = rpc.stream({"body": BODY})
            assert (answer["user_id"], answer["movie_id"]) == (1, 2)
        assert beside.result() < QUICK_S


def test_no_request_of_a_burst_is_lost_or_answered_twice(fresh: Project) -> None:
    assert send_burst(fresh.settings.inference, BURST_REQUESTS, CLIENTS) == BURST_REQUESTS


def test_new_version_and_new_worker_answer_without_waiting(fresh: Project) -> None:
    Rollout(fresh.client, fresh.settings).register("1.1")
    assert slowest_s(fresh, "/1.1", 1) < QUICK_S
    scale(fresh, 3)
    assert slowest_s(fresh, "/1.0", 8) < QUICK_S


def ask_1_1(project: Project) -> socket.socket:
    """Sends version 1.1 a request. The server has it before the next one is sent."""
    connection = connect(project)
    connection.sendall(http(BODY, "/1.1"))
    time.sleep(0.5)
    return connection


def test_expired_requests_are_dropped_and_the_next_one_is_answered(fresh: Project) -> None:
    """The worker has the first one, and TorchServe drops its answer. The second one is in the queue."""
    with stopped_worker(fresh, "1.1"):
        expired = [ask_1_1(fresh), ask_1_1(fresh)]
        time.sleep(EXPIRY_S)
        late = ask_1_1(fresh)
    with late, expired[0], expired[1]:
        assert late.recv(65536).startswith(b"HTTP/1.1 200")
        assert select.select(expired, [], [], 0)[0] == []
    log = fresh.folder / "logs" / "console.log"
    wait_until(lambda: "Drop inference request" in log.read_text(), "the line in the log")
    assert log.read_text().count("Drop inference request") == 1


def test_unregistering_answers_the_current_batch_and_the_queue(fresh: Project) -> None:
    with ThreadPoolExecutor(1) as pool:
        with stopped_worker(fresh, "1.1"):
            asked = [ask_1_1(fresh) for _ in range(3)]
            unregistered = pool.submit(Rollout(fresh.client, fresh.settings).unregister, "1.1")
            time.sleep(0.5)
        for connection in asked:
            with connection:
                assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        unregistered.result()
    assert [one["version"] for one in fresh.client.versions()] == ["1.0"]


def test_front_end_uses_plugin_and_start_cache_and_warns_of_neither(fresh: Project) -> None:
    log = (fresh.folder / "logs" / "console.log").read_text()
    assert log.count("the never-wait plugin forms the batches") == 1
    assert "[error]" not in log
    assert "[warning]" not in log
    pid = server.running(fresh.settings)
    assert pid is not None
    assert (f"-XX:AOTCache={CACHE}" in psutil.Process(pid).cmdline()) == CACHE.is_file()
