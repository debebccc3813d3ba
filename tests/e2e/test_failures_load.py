"""Overload, slow clients and vanishing clients: they are refused or waited for, and all others are answered."""

import json
import os
import signal
import socket
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import numpy as np
import psutil
import pytest

from bench.load import run_wrk
from ops.process import server
from tests.e2e import plain_http
from tests.e2e.failing import BATCH, Asked, needs_load, workers
from tests.e2e.project import Project
from tests.waiting import wait_until

pytestmark = [pytest.mark.e2e, needs_load]

QUEUE, WORKERS = 100, 2


def front_end(project: Project) -> psutil.Process:
    return psutil.Process(server.running(project.settings))


def test_a_full_queue_refuses_at_once_and_answers_the_rest(breaking: Project) -> None:
    asked = Asked(breaking)
    pids = [worker["pid"] for worker in workers(breaking).values()]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        with asked.load(rate_per_s=300, seconds=1, connections=400) as load:
            time.sleep(3)
            ready = breaking.run(".venv/bin/python", "-m", "ops.ready", check=False)
            resumed = time.monotonic()
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
            answers = load.result()
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    assert ready.returncode == 0, ready.stderr  # otherwise its load would overload the next replica, too
    refused = answers.status == 503
    assert set(answers.status.tolist()) == {200, 503}
    assert QUEUE <= np.count_nonzero(~refused) <= QUEUE + WORKERS * BATCH
    ended = answers.started + answers.intended_s + answers.latency_s
    assert ended[refused].max() < resumed < ended[~refused].min()  # no client waited for room in the queue
    assert asked.wrong(answers) == 0
    told = json.loads(answers.responses[int(np.flatnonzero(refused)[0])].split(b"\r\n\r\n", 1)[1])
    assert (told["code"], told["type"]) == (503, "ServiceUnavailableException")


def test_server_without_a_worker_is_not_ready(breaking: Project) -> None:
    def scale(number: int) -> None:
        query = f"min_worker={number}&max_worker={number}&synchronous=true"
        plain_http.put(f"{breaking.settings.management}/models/ncf?{query}")

    scale(0)
    try:
        told = breaking.run(".venv/bin/python", "-m", "ops.ready", check=False)
    finally:
        scale(WORKERS)
    assert told.returncode == 1
    assert "503" in told.stderr
    wait_until(lambda: breaking.client.is_ready(), "workers again")


def test_server_survives_twice_its_maximum_load(breaking: Project) -> None:
    asked = Asked(breaking)
    most = run_wrk(asked.url, asked.bodies, connections=64, seconds=1).answered_per_s
    with asked.load(rate_per_s=2 * most, seconds=2, connections=400) as load:
        answers = load.result()
    assert {200} <= set(answers.status.tolist()) <= {200, 503}  # no request was lost or left waiting
    assert asked.wrong(answers) == 0
    with asked.load(rate_per_s=50, seconds=1) as load:
        assert (load.result().status == 200).all()


def test_slow_and_vanishing_clients_do_not_harm_others(breaking: Project) -> None:
    asked = Asked(breaking)
    front, address = front_end(breaking), urlsplit(breaking.settings.inference)
    large = json.dumps({"instances": [json.loads(body) for body in asked.bodies] * 50}).encode()
    head = f"POST /predictions/ncf HTTP/1.1\r\nHost: x\r\nContent-Length: {len(large)}\r\n\r\n".encode()
    files, pids = front.num_fds(), {worker["pid"] for worker in workers(breaking).values()}
    with asked.load(rate_per_s=100, seconds=3) as load, ExitStack() as stack:
        slow = [
            stack.enter_context(socket.create_connection((str(address.hostname), int(address.port or 0))))
            for _ in range(60)
        ]
        for start in range(20):  # a byte at a time; a head without a body; a request whose answer is never read
            for client in slow[:20]:
                client.sendall(head[start : start + 1])
            for client in slow[20:40] if not start else ():
                client.sendall(head)
            for client in slow[40 + start : 41 + start]:
                client.sendall(head + large)
                client.close()
            time.sleep(0.1)
        wait_until(lambda: front.num_fds() >= files + 40, "open connections")
        answers = load.result()
    assert (answers.status == 200).all()
    assert asked.wrong(answers) == 0
    wait_until(lambda: front.num_fds() <= files + 5, "closed connections")
    assert {worker["pid"] for worker in workers(breaking).values()} == pids
    assert all(worker["status"] == "READY" for worker in workers(breaking).values())
