"""ops/nginx/ncf.conf before the real server: only the paths that predict are open, and refusals are JSON."""

import json
import socket
import socketserver
import ssl
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.e2e.conftest import Project, free_ports
from tests.e2e.nginx import NGINX, Proxy, run_nginx

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(NGINX is None, reason="nginx is not installed")]

PAIR = {"user_id": 1, "movie_id": 2}
LIMIT = 4_194_304
# Most requests here come from one address.
NO_LIMIT = {"rate=100r/s": "rate=100000r/s"}


def upstream(served: Project) -> dict[str, str]:
    return {"127.0.0.1:8080": served.settings.inference.removeprefix("http://")}


@pytest.fixture(scope="module")
def proxy(served: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("nginx")
    with run_nginx("ncf.conf", folder, {**upstream(served), **NO_LIMIT, "_timeout 10s": "_timeout 2s"}) as running:
        yield running


@pytest.fixture
def echo(tmp_path: Path) -> Iterator[tuple[Proxy, list[str]]]:
    """The proxy before a server that writes down the requests as they arrive, head and body."""
    heard: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            head = ""
            while not head.endswith("\r\n\r\n"):
                head += self.rfile.readline().decode()
            heard.append(head)
            self.wfile.write(b'HTTP/1.1 503 busy\r\nContent-Length: 12\r\nConnection: close\r\n\r\n{"code":503}')

    port = int(free_ports(1)[0])
    with socketserver.ThreadingTCPServer(("127.0.0.1", port), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with run_nginx("ncf.conf", tmp_path, {"127.0.0.1:8080": f"127.0.0.1:{port}"}) as running:
            yield running, heard
        server.shutdown()


def assert_error(response: httpx.Response, code: int) -> None:
    """An error in the handler's own shape."""
    assert response.status_code == code
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert body.keys() == {"code", "type", "message"}
    assert body["code"] == code


def test_predicting_passes_and_equals_what_the_server_answers(proxy: Proxy, served: Project) -> None:
    for path in ("/predictions/ncf", "/predictions/ncf/1.0", "/explanations/ncf", "/explanations/ncf/1.0"):
        expected = httpx.post(served.settings.inference + path, json=PAIR, trust_env=False)
        answer = proxy.client.post(path, json=PAIR)
        assert (answer.status_code, answer.content) == (200, expected.content)
    instances = {"instances": [PAIR]}
    assert proxy.client.post("/v1/models/ncf:predict", json=instances).json()["predictions"]
    assert proxy.client.post("/v1/models/ncf:explain", json=instances).json()["explanations"]
    columns = [{"name": name, "shape": [1], "datatype": "INT64", "data": [value]} for name, value in PAIR.items()]
    assert proxy.client.post("/v2/models/ncf/infer", json={"inputs": columns}).json()["outputs"]


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/",
            "/ping",
            "/models",
            "/models/ncf",
            "/metrics",
            "/workflows",
            "/api-description",
            "/invocations",
            "/token",
        ),
        *("/ncf/predict", "/models/ncf/invoke", "/wfpredict/x", "/v2/health/ready", "/v2", "/v1/models/ncf"),
        *(
            "/predictions",
            "/predictions/other",
            "/predictions/ncf/",
            "/predictions/ncf/1.0/more",
            "/predictions/ncf/-1",
        ),
        *(
            "/predictions/ncf%0a",
            "/predictions/ncf%0d%0aX:%20y",
            "/predictions/ncf/1.0%00",
            "/predictions/ncf%2f..%2f..",
        ),
        *("/predictions/ncf/../../models", "/predictions/../models", "//models", "/./models", "/%6dodels"),
        *("/v1/models/ncf:predict/x", "/v2/models/ncf/infer/x", "/v2/models/ncf/explain", "/PREDICTIONS/ncf"),
    ],
)
def test_every_other_path_is_shut(proxy: Proxy, path: str) -> None:
    for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"):
        answer = raw(proxy, f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400")), (method, answer[:300])
        assert b'"type":"NotFound"' in answer or b'"type":"InvalidRequest"' in answer


def raw(proxy: Proxy, text: str, wait_s: float = 30) -> bytes:
    """Bytes as they are, over TLS; what comes back until the other side closes."""
    context = ssl.create_default_context(cafile=str(proxy.certificate))
    plain = socket.create_connection(("127.0.0.1", int(proxy.ports["443"])), timeout=wait_s)
    with context.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
        connection.sendall(text.encode())
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received


def test_another_way_of_writing_an_open_path_reaches_the_same_path(proxy: Proxy) -> None:
    for path in (
        "/x/../predictions/ncf",
        "//predictions//ncf",
        "/%70redictions/ncf",
        "/predictions/ncf?customized=true",
    ):
        body = json.dumps(PAIR)
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
        assert b'"rating":' in raw(proxy, f"{head}Content-Length: {len(body)}\r\n\r\n{body}"), path


def test_only_post_asks(proxy: Proxy) -> None:
    for method in ("GET", "PUT", "DELETE", "OPTIONS", "PATCH"):
        assert_error(proxy.client.request(method, "/predictions/ncf"), 405)
    assert_error(proxy.client.post("/ready"), 405)


def test_a_body_up_to_the_handlers_limit_passes_and_a_longer_one_is_a_413_with_a_body(proxy: Proxy) -> None:
    fits = b'{"user_id": 1, "movie_id": 2}'.ljust(LIMIT)
    headers = {"content-type": "application/json"}
    assert proxy.client.post("/predictions/ncf", content=fits, headers=headers).json()["rating"]
    assert_error(proxy.client.post("/predictions/ncf", content=fits + b" ", headers=headers), 413)
    chunks = (fits[at : at + 2**20] for at in range(0, LIMIT + 1, 2**20))
    chunked = proxy.client.post("/predictions/ncf", content=(chunk for chunk in [*chunks, b" "]), headers=headers)
    assert_error(chunked, 413)


def test_errors_of_the_handler_pass_as_they_are(proxy: Proxy, served: Project) -> None:
    for body in ({"user_id": "x", "movie_id": 1}, {"user_id": 1, "top_k": 100_000}, {"instances": [PAIR] * 100_001}):
        expected = served.ask(body)
        answer = proxy.client.post("/predictions/ncf", json=body)
        assert (answer.status_code, answer.content) == (expected.status_code, expected.content)
        assert answer.status_code in (400, 413)
    assert_error(proxy.client.post("/predictions/ncf/9.9", json=PAIR), 404)


def test_tls_is_recent_and_http_leads_to_it(proxy: Proxy) -> None:
    plain = httpx.post(f"http://127.0.0.1:{proxy.ports['80']}/predictions/ncf", trust_env=False)
    assert plain.status_code == 308
    assert plain.headers["location"] == "https://ncf.example.org/predictions/ncf"
    assert "max-age" in proxy.client.get("/ready").headers["strict-transport-security"]
    for version, works in (
        (ssl.TLSVersion.TLSv1_1, False),
        (ssl.TLSVersion.TLSv1_2, True),
        (ssl.TLSVersion.TLSv1_3, True),
    ):
        assert speaks(proxy, version) == works, version


def speaks(proxy: Proxy, version: ssl.TLSVersion) -> bool:
    context = ssl.create_default_context(cafile=str(proxy.certificate))
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # else the client is the one who refuses
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the old versions are what is tried
        context.minimum_version = context.maximum_version = version
    try:
        plain = socket.create_connection(("127.0.0.1", int(proxy.ports["443"])), timeout=30)
        with context.wrap_socket(plain, server_hostname="127.0.0.1"):
            return True
    except (ssl.SSLError, ConnectionError):
        return False


def test_ready_means_that_a_worker_answers(proxy: Proxy, tmp_path: Path) -> None:
    assert proxy.client.get("/ready").json() == {"predictions": []}
    assert proxy.client.head("/ready").status_code == 200
    nobody = {"127.0.0.1:8080": f"127.0.0.1:{free_ports(1)[0]}"}
    with run_nginx("ncf.conf", tmp_path, nobody) as alone:
        for answer in (alone.client.get("/ready"), alone.client.post("/predictions/ncf", json=PAIR)):
            assert_error(answer, 503)
            assert answer.headers["retry-after"] == "1"


def test_a_503_of_the_server_gets_retry_after(echo: tuple[Proxy, list[str]]) -> None:
    answer = echo[0].client.post("/predictions/ncf", json=PAIR)
    assert (answer.status_code, answer.headers["retry-after"], answer.content) == (503, "1", b'{"code":503}')


def test_headers_that_are_not_a_clients_to_say_are_dropped(echo: tuple[Proxy, list[str]]) -> None:
    proxy, heard = echo
    said = {
        *(("describe", "True"), ("Explain", "True"), ("url_path", "x"), ("ts_request_sequence_id", "1")),
        *(("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Proto", "gopher"), ("Forwarded", "for=6.6.6.6")),
    }
    proxy.client.post("/explanations/ncf?customized=true", json=PAIR, headers=[*said, ("Authorization", "Bearer k")])
    lines = heard[0].lower().splitlines()
    assert lines[0] == "post /explanations/ncf http/1.1"
    headers = dict(line.split(": ", 1) for line in lines[1:] if line)
    assert not headers.keys() & {"describe", "explain", "url_path", "ts_request_sequence_id", "forwarded"}
    assert (headers["x-forwarded-for"], headers["x-forwarded-proto"]) == ("127.0.0.1", "https")
    assert headers["authorization"] == "bearer k"


def test_a_look_at_ready_asks_a_question_of_its_own(echo: tuple[Proxy, list[str]]) -> None:
    proxy, heard = echo
    said = {"describe": "True", "explain": "True", "Content-Type": "text/plain", "X-Forwarded-For": "6.6.6.6"}
    answer = proxy.client.get("/ready", headers={**said, "Forwarded": "for=6.6.6.6"})
    lines = heard[0].lower().splitlines()
    assert lines[0] == "post /predictions/ncf http/1.1"
    headers = dict(line.split(": ", 1) for line in lines[1:] if line)
    assert not headers.keys() & {"describe", "explain", "forwarded"}
    assert (headers["x-forwarded-for"], headers["content-type"]) == ("127.0.0.1", "application/json")
    assert headers["x-request-id"] == answer.headers["x-request-id"]


def test_a_request_id_is_passed_on_and_answered(echo: tuple[Proxy, list[str]]) -> None:
    proxy, heard = echo
    for sent, kept in (("order-7.a", True), ("", False), ("x" * 65, False), ("a b", False), ('"}\\', False)):
        answer = proxy.client.post("/predictions/ncf", json=PAIR, headers={"X-Request-Id": sent})
        told = answer.headers.get_list("x-request-id")
        assert len(told) == 1
        assert f"x-request-id: {told[0]}\r\n" in heard[-1].lower()
        assert (told[0] == sent) == kept


def test_who_asks_too_often_gets_a_429_and_others_are_answered(served: Project, tmp_path: Path) -> None:
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


def test_a_client_that_sends_slowly_is_cut_off_and_the_others_are_answered(proxy: Proxy) -> None:
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
    assert all(answer == answers[0] for answer in answers)
