"""ops/nginx/ncf.conf before the real server: limits on requests, and errors in the server's format."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.e2e.nginx import NO_LIMIT, PAIR, Proxy, assert_error, needs_nginx, raw, run_before_echo, run_nginx, upstream
from tests.e2e.project import Project, free_ports

pytestmark = [pytest.mark.e2e, needs_nginx]

LIMIT = 4_194_304


@pytest.fixture(scope="module")
def proxy(served: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    changes = {**upstream(served), **NO_LIMIT, "_timeout 10s": "_timeout 2s"}
    with run_nginx("ncf.conf", tmp_path_factory.mktemp("nginx"), changes) as running:
        yield running


def test_a_body_up_to_the_handlers_limit_passes_and_a_longer_one_is_a_413_with_a_body(proxy: Proxy) -> None:
    fits = b'{"user_id": 1, "movie_id": 2}'.ljust(LIMIT)
    headers = {"content-type": "application/json"}
    assert proxy.client.post("/predictions/ncf", content=fits, headers=headers).json()["rating"]
    assert_error(proxy.client.post("/predictions/ncf", content=fits + b" ", headers=headers), 413)
    chunks = (fits[at : at + 2**20] for at in range(0, LIMIT + 1, 2**20))
    chunked = proxy.client.post("/predictions/ncf", content=(chunk for chunk in [*chunks, b" "]), headers=headers)
    assert_error(chunked, 413)


def test_errors_of_the_handler_pass_unchanged(proxy: Proxy, served: Project) -> None:
    for body in ({"user_id": "x", "movie_id": 1}, {"user_id": 1, "top_k": 100_000}, {"instances": [PAIR] * 100_001}):
        expected = served.ask(body)
        answer = proxy.client.post("/predictions/ncf", json=body)
        assert (answer.status_code, answer.content) == (expected.status_code, expected.content)
        assert answer.status_code in (400, 413)
    assert_error(proxy.client.post("/predictions/ncf/9.9", json=PAIR), 404)


def test_ready_means_that_a_worker_answers(proxy: Proxy, tmp_path: Path) -> None:
    assert proxy.client.get("/ready").json() == {"name": "ncf", "ready": True}
    assert proxy.client.head("/ready").status_code == 200
    nobody = {"127.0.0.1:8080": f"127.0.0.1:{free_ports(1)[0]}"}
    with run_nginx("ncf.conf", tmp_path, nobody) as alone:
        for answer in (alone.client.get("/ready"), alone.client.post("/predictions/ncf", json=PAIR)):
            assert_error(answer, 503)
            assert answer.headers["retry-after"] == "1"


def test_headers_up_to_the_limit_pass_and_longer_ones_are_a_431_with_a_body(proxy: Proxy) -> None:
    for size, code in ((5_500, 200), (8_000, 431), (40_000, 431)):
        sent = {"Authorization": "Bearer " + "k" * size}
        answer = proxy.client.post("/predictions/ncf", json=PAIR, headers=sent)
        assert answer.status_code == code, answer.text
    assert_error(answer, 431)
    many = [(f"X-Part-{number}", "y" * 1000) for number in range(9)]
    assert_error(proxy.client.post("/predictions/ncf", json=PAIR, headers=many), 431)
    assert_error(proxy.client.post("/predictions/ncf?" + "q" * 9000, json=PAIR), 431)


def test_a_503_of_the_server_gets_retry_after(tmp_path: Path) -> None:
    with run_before_echo(tmp_path) as (proxy, _):
        answer = proxy.client.post("/predictions/ncf", json=PAIR)
    assert (answer.status_code, answer.headers["retry-after"], answer.content) == (503, "1", b'{"code":503}')


def test_client_over_the_rate_limit_gets_429_and_others_are_answered(served: Project, tmp_path: Path) -> None:
    few = {
        **upstream(served),
        "rate=100r/s": "rate=1r/s",
        "burst=200": "burst=3",
        "ncf_connections 64": "ncf_connections 2",
    }
    with run_nginx("ncf.conf", tmp_path, few) as proxy:
        answers = [proxy.client.post("/predictions/ncf", json=PAIR) for _ in range(8)]
        codes = [answer.status_code for answer in answers]
        assert codes[:4] == [200] * 4
        assert 429 in codes[4:]
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert_error(refused, 429)
        assert refused.headers["retry-after"] == "1"
    assert np.isfinite(served.ask(PAIR).json()["rating"])


def test_slow_client_is_disconnected_and_others_are_answered(proxy: Proxy) -> None:
    def slow(_: int) -> bytes:
        head = (
            "POST /predictions/ncf HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n"
        )
        return raw(proxy, head + '{"user_id":')

    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(slow, number) for number in range(8)]
        for _ in range(10):
            assert proxy.client.post("/predictions/ncf", json=PAIR).status_code == 200
        for one in waiting:
            assert b" 200 " not in one.result()
    assert raw(proxy, "POST /predictions/ncf HTTP/1.1\r\nHost: x") == b""


def test_many_clients_share_connections_to_the_server(proxy: Proxy) -> None:
    def ask(_: int) -> Any:
        return proxy.client.post("/predictions/ncf", json=PAIR).json()

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(200)))
    # On some processors, the size of the batch changes a rating's last digits.
    ratings = [answer.pop("rating") for answer in answers]
    assert ratings == pytest.approx([ratings[0]] * len(ratings), abs=1e-5)
    assert all(answer == answers[0] for answer in answers)
