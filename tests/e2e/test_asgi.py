"""The ASGI server, run by the verbs, in several processes; test_protocols.py tests its answers."""

import os
import re
import signal
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest
import tritonclient.http as triton

from ops.process import server
from tests.e2e import plain_http
from tests.e2e.project import Project
from tests.e2e.test_docs_commands import marked
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e


def workers(served: Project) -> list[int]:
    return [worker["pid"] for worker in served.client.workers()]


def wait_for_workers(served: Project, without: int | None = None) -> list[int]:
    """The workers, as soon as there is one for each core and `without` has ended."""

    def complete() -> bool:
        found = workers(served)
        return len(found) >= len(os.sched_getaffinity(0)) and without not in found

    wait_until(complete, (served.folder / "logs" / "console.log").read_text)
    return workers(served)


def test_a_triton_client_is_told_about_server_and_model(served_by_asgi: Project) -> None:
    client = triton.InferenceServerClient(served_by_asgi.settings.inference.removeprefix("http://"))
    try:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("ncf", "1.0")
        assert not client.is_model_ready("ncf", "9.9")
        assert client.get_server_metadata()["name"] == "ncf-serve"
        assert client.get_model_metadata("ncf")["versions"] == ["1.0"]
    finally:
        client.close()


def test_the_commands_of_the_page_work_twice(served_by_asgi: Project) -> None:
    before = served_by_asgi.make("status").splitlines()[0]
    for line in marked("scale"):
        served_by_asgi.run("bash", "-c", line)
    assert server.running(served_by_asgi.settings) is not None
    assert before.split("PID")[1] == served_by_asgi.make("status").splitlines()[0].split("PID")[1]


def test_verbs_find_the_server(served_by_asgi: Project) -> None:
    told = served_by_asgi.make("status")
    assert "The ASGI server has been running for" in told
    assert re.search(r"^1\.0 +yes +\d+ READY", told, re.MULTILINE)
    assert '"recommendations"' in served_by_asgi.make("predict")
    assert "serves version 1.0" in served_by_asgi.make("logs")
    served_by_asgi.run(".venv/bin/python", "-m", "ops.ready")


def test_a_verb_that_the_server_does_not_have_says_what_to_do(served_by_asgi: Project) -> None:
    for verb in ("register", "promote", "unregister"):
        assert "`make serve VERSION=1.1`" in served_by_asgi.make(verb, "VERSION=1.1", check=False)
    assert "AUTH=off" in served_by_asgi.make("serve", "AUTH=on", check=False)
    assert served_by_asgi.default_version == "1.0"


def test_metrics_are_those_of_all_processes(served_by_asgi: Project) -> None:
    url = served_by_asgi.settings.inference

    def counted() -> float:
        text = plain_http.get(f"{url}/metrics").text
        lines = re.findall(r'^ncf_requests_total\{.*Kind="search".*Status="200"\} (\S+)$', text, re.MULTILINE)
        return sum(map(float, lines))

    before = counted()
    for _ in range(40):  # enough connections that every process gets some
        assert served_by_asgi.ask({"search": "a"}).status_code == 200  # no other test sends this request
    wait_until(lambda: counted() >= before + 40, "every request is counted")  # processes add up every few seconds
    assert counted() == before + 40


def test_a_process_that_is_killed_is_replaced(served_by_asgi: Project) -> None:
    killed = wait_for_workers(served_by_asgi)[0]
    os.kill(killed, signal.SIGKILL)
    wait_for_workers(served_by_asgi, without=killed)
    assert served_by_asgi.ask({"user_id": 1, "movie_id": 2}).status_code == 200


def test_processes_end_with_a_server_that_is_killed(served_by_asgi: Project) -> None:
    left = wait_for_workers(served_by_asgi)
    pid = server.running(served_by_asgi.settings)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not any(map(psutil.pid_exists, left)), "the end of the processes")
    served_by_asgi.make("serve")
    assert served_by_asgi.ask({"user_id": 1, "movie_id": 2}).status_code == 200


def asked_again_if_closed(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """Retries as clients do if a connection is closed or reset before its first answer."""
    try:
        return ask()
    except (httpx.RemoteProtocolError, httpx.ReadError):
        return ask()


def test_another_version_is_served_without_a_lost_request(served_by_asgi: Project) -> None:
    url = f"{served_by_asgi.settings.inference}/predictions/ncf"
    seen: Counter[str] = Counter()
    ended = threading.Event()

    def ask() -> None:
        body = {"user_id": 1, "movie_id": 2}
        while not ended.is_set():
            try:
                answer = asked_again_if_closed(lambda: plain_http.post(url, json=body))
                seen[f"{answer.status_code} {answer.headers['x-model-version']}"] += 1
            except httpx.HTTPError as error:
                seen[repr(error)] += 1

    clients = [threading.Thread(target=ask) for _ in range(4)]
    for client in clients:
        client.start()
    try:
        served_by_asgi.make("serve", "VERSION=1.1")
        assert served_by_asgi.default_version == "1.1"
        served_by_asgi.make("serve", "VERSION=1.0")
    finally:
        ended.set()
        for client in clients:
            client.join()
    assert set(seen) == {"200 1.0", "200 1.1"}
    assert served_by_asgi.default_version == "1.0"


def test_an_archive_that_cannot_be_loaded_leaves_the_former_server(served_by_asgi: Project) -> None:
    store = served_by_asgi.folder / "model-store"
    made = pack_without_artifact(served_by_asgi, store)
    try:
        told = served_by_asgi.make("serve", "VERSION=9.9", check=False)
        assert "could not load" in told
    finally:
        made.unlink()
    assert served_by_asgi.default_version == "1.0"
    assert server.running(served_by_asgi.settings) is not None


def pack_without_artifact(served: Project, store: Path) -> Path:
    """An archive with correct digests but an unreadable artifact."""
    code = """
import shutil, sys, zipfile
from pathlib import Path
from train.package import add_digests
source, target = map(Path, sys.argv[1:])
with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
    for entry in old.infolist():
        if entry.filename != "SHA256SUMS":
            new.writestr(entry, b"none" if entry.filename == "ncf.pt" else old.read(entry))
add_digests(target)
"""
    target = store / "ncf-9.9.mar"
    served.run(".venv/bin/python", "-c", code, str(store / "ncf-1.0.mar"), str(target))
    return target
