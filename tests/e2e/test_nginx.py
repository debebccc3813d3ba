"""ops/nginx/ncf.conf before the real server: which paths clients may reach, and which headers reach the server."""

import json
import socket
import ssl
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import plain_http
from tests.e2e.nginx import NO_LIMIT, PAIR, Proxy, assert_error, needs_nginx, raw, run_before_echo, run_nginx, upstream
from tests.e2e.project import Project

pytestmark = [pytest.mark.e2e, needs_nginx]
OTHER_PATHS = """
    /ping /models /models/ncf /metrics /workflows /api-description /invocations /token
    /ncf/predict /models/ncf/invoke /wfpredict/x /v2/health /v2/ /v1 /v1/models /v1/models/other /v2/models
    /predictions /predictions/other /predictions/ncf/ /predictions/ncf/1.0/more /predictions/ncf/-1
    /predictions/ncf%0a /predictions/ncf%0d%0aX:%20y /predictions/ncf/1.0%00 /predictions/ncf%2f..%2fx
    /predictions/ncf/../../models /predictions/../models //models /./models /%6dodels
    /v2/models/ncf/versions /v2/models/ncf/versions/ /v2/models/ncf/versions/1.0/x /v2/models/ncf/versions/../x
    /v2/models/ncf/versions/-1/infer /v2/models/ncf/ready/x /v2/models/other/ready /v2/repository/index /v2/health/live/
    /v1/models/ncf:predict/x /v2/models/ncf/infer/x /v2/models/ncf/explain /PREDICTIONS/ncf
"""


@pytest.fixture(scope="module")
def proxy(served: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with run_nginx("ncf.conf", tmp_path_factory.mktemp("nginx"), {**upstream(served), **NO_LIMIT}) as running:
        yield running


@pytest.fixture
def echo(tmp_path: Path) -> Iterator[tuple[Proxy, list[str]]]:
    with run_before_echo(tmp_path) as both:
        yield both


def test_predicting_passes_and_equals_what_the_server_answers(proxy: Proxy, served: Project) -> None:
    for path in ("/predictions/ncf", "/predictions/ncf/1.0", "/explanations/ncf", "/explanations/ncf/1.0"):
        expected = plain_http.post(served.settings.inference + path, json=PAIR)
        answer = proxy.client.post(path, json=PAIR)
        assert (answer.status_code, answer.content) == (200, expected.content)
    instances = {"instances": [PAIR]}
    assert proxy.client.post("/v1/models/ncf:predict", json=instances).json()["predictions"]
    assert proxy.client.post("/v1/models/ncf:explain", json=instances).json()["explanations"]
    columns = [{"name": name, "shape": [1], "datatype": "INT64", "data": [value]} for name, value in PAIR.items()]
    assert proxy.client.post("/v2/models/ncf/infer", json={"inputs": columns}).json()["outputs"]


def test_browser_gets_the_page_at_the_root_and_other_clients_the_usual_answer(proxy: Proxy) -> None:
    browser = {"accept": "text/html,*/*;q=0.8"}
    for path in ("/", "/predictions/ncf", "/predictions/ncf/1.0"):
        page = proxy.client.get(path, headers=browser)
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8"), path
        assert "script-src 'sha256-" in page.headers["content-security-policy"]
    assert proxy.client.get("/").json() == {"status": "alive"}
    assert_error(proxy.client.get("/predictions/ncf"), 405)
    assert_error(proxy.client.get("/page", headers=browser), 404)


@pytest.mark.parametrize("path", OTHER_PATHS.split())
def test_every_other_path_is_closed(proxy: Proxy, path: str) -> None:
    for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"):
        answer = raw(proxy, f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400")), (method, answer[:300])
        assert b'"type":"NotFound"' in answer or b'"type":"InvalidRequest"' in answer


def test_other_forms_of_an_open_path_reach_the_same_path(proxy: Proxy) -> None:
    for path in (
        "/x/../predictions/ncf",
        "//predictions//ncf",
        "/%70redictions/ncf",
        "/predictions/ncf?customized=true",
    ):
        body = json.dumps(PAIR)
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
        assert b'"rating":' in raw(proxy, f"{head}Content-Length: {len(body)}\r\n\r\n{body}"), path


def test_only_post_is_allowed_for_requests(proxy: Proxy) -> None:
    for method in ("GET", "PUT", "DELETE", "OPTIONS", "PATCH"):
        assert_error(proxy.client.request(method, "/predictions/ncf"), 405)
    for path in ("/ready", "/", "/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/ncf", "/v1/models/ncf"):
        assert_error(proxy.client.post(path), 405)


def test_tls_is_recent_and_http_redirects_to_it(proxy: Proxy) -> None:
    plain = plain_http.post(f"http://127.0.0.1:{proxy.ports['80']}/predictions/ncf")
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
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # otherwise the client itself would refuse
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # this tests the old versions
        context.minimum_version = context.maximum_version = version
    try:
        plain = socket.create_connection(("127.0.0.1", int(proxy.ports["443"])), timeout=120)
        with context.wrap_socket(plain, server_hostname="127.0.0.1"):
            return True
    except (ssl.SSLError, ConnectionError):
        return False


def test_internal_headers_from_clients_are_dropped(echo: tuple[Proxy, list[str]]) -> None:
    proxy, heard = echo
    said = {
        *(("describe", "True"), ("Explain", "True"), ("url_path", "x"), ("ts_request_sequence_id", "1")),
        ("Cookie", "session=1"),
        *(("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Proto", "gopher"), ("Forwarded", "for=6.6.6.6")),
    }
    proxy.client.post("/explanations/ncf?customized=true", json=PAIR, headers=[*said, ("Authorization", "Bearer k")])
    lines = heard[0].lower().splitlines()
    assert lines[0] == "post /explanations/ncf http/1.1"
    headers = dict(line.split(": ", 1) for line in lines[1:] if line)
    assert not headers.keys() & {"describe", "explain", "url_path", "ts_request_sequence_id", "forwarded", "cookie"}
    assert (headers["x-forwarded-for"], headers["x-forwarded-proto"]) == ("127.0.0.1", "https")
    assert headers["authorization"] == "bearer k"


def test_readiness_check_sends_its_own_request(echo: tuple[Proxy, list[str]]) -> None:
    proxy, heard = echo
    said = {"describe": "True", "explain": "True", "Content-Type": "text/plain", "X-Forwarded-For": "6.6.6.6"}
    answer = proxy.client.get("/ready", headers={**said, "Forwarded": "for=6.6.6.6"})
    lines = heard[0].lower().splitlines()
    assert lines[0] == "post /predictions/ncf http/1.1"
    headers = dict(line.split(": ", 1) for line in lines[1:] if line)
    assert not headers.keys() & {"explain", "forwarded"}
    assert headers["describe"] == "ready"
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
