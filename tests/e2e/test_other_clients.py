"""Clients of other protocols, and browsers, at the real server and through ops/nginx/ncf.conf."""

import gzip
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton
import ts

from tests.e2e import plain_http
from tests.e2e.nginx import NO_LIMIT, PAIR, Proxy, assert_error, needs_nginx, run_nginx, upstream
from tests.e2e.project import Project

pytestmark = pytest.mark.e2e
ORIGIN = "https://app.example.org"
PREFLIGHT = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}


@pytest.fixture(scope="module")
def proxy(served: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    changes = {**upstream(served), **NO_LIMIT, f'# "{ORIGIN}"': f'"{ORIGIN}"'}
    with run_nginx("ncf.conf", tmp_path_factory.mktemp("nginx"), changes) as running:
        yield running


@contextmanager
def triton_client(proxy: Proxy) -> Iterator[Any]:
    def trusting() -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(proxy.certificate))

    address = f"127.0.0.1:{proxy.ports['443']}"
    client = triton.InferenceServerClient(address, ssl=True, ssl_context_factory=trusting, network_timeout=120)
    try:
        yield client
    finally:
        client.close()


@needs_nginx
def test_triton_client_gets_correct_metadata(proxy: Proxy) -> None:
    with triton_client(proxy) as client:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("ncf")
        assert client.is_model_ready("ncf", "1.0")
        assert not client.is_model_ready("ncf", "9.9")
        assert not client.is_model_ready("other")
        assert client.get_server_metadata()["version"] == ts.__version__
        for version in ("", "1.0"):
            told = client.get_model_metadata("ncf", version)
            assert (told["name"], told["versions"]) == ("ncf", ["1.0"])
            assert [one["name"] for one in told["inputs"]] == ["user_id", "movie_id"]
        with pytest.raises(triton.InferenceServerException):
            client.get_model_metadata("ncf", "9.9")


@needs_nginx
@pytest.mark.parametrize("version", ["", "1.0"])
def test_a_triton_client_asks_a_version(proxy: Proxy, served: Project, version: str) -> None:
    with triton_client(proxy) as client:
        result = client.infer("ncf", tensors(client.get_model_metadata("ncf", version)), version)
    assert result.as_numpy("rating").tolist() == [pytest.approx(served.ask(PAIR).json()["rating"], abs=1e-5)]
    assert result.get_response()["model_version"] == "1.0"


def tensors(told: Any) -> list[Any]:
    """The inputs in the metadata, for one pair."""
    inputs = []
    for one in told["inputs"]:
        tensor = triton.InferInput(one["name"], [1], one["datatype"])
        tensor.set_data_from_numpy(np.array([PAIR[one["name"]]]))
        inputs.append(tensor)
    return inputs


@pytest.mark.parametrize("compression", ["gzip", "deflate"])
def test_a_triton_client_may_compress(served: Project, compression: str) -> None:
    address = served.settings.inference.removeprefix("http://")
    client = triton.InferenceServerClient(address, network_timeout=120)
    try:
        inputs = tensors({"inputs": [{"name": name, "datatype": "INT64"} for name in PAIR]})
        result = client.infer("ncf", inputs, request_compression_algorithm=compression)
    finally:
        client.close()
    assert result.as_numpy("rating").tolist() == [pytest.approx(served.ask(PAIR).json()["rating"], abs=1e-5)]


def test_compressed_json_is_read_and_other_encodings_are_refused(served: Project) -> None:
    url = served.settings.inference + "/predictions/ncf"
    sent = gzip.compress(json.dumps(PAIR).encode())
    for encoding, code in (("gzip", 200), ("br", 415), ("deflate", 400)):
        headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
        assert plain_http.post(url, content=sent, headers=headers).status_code == code


@needs_nginx
def test_health_answers_have_the_formats_of_kserve_1_and_2(proxy: Proxy) -> None:
    assert proxy.client.get("/").json() == {"status": "alive"}
    assert proxy.client.get("/v2/health/live").json() == {"live": True}
    for path in ("/v1/models/ncf", "/v2/health/ready", "/v2/models/ncf/ready", "/v2/models/ncf/versions/1.0/ready"):
        answer = proxy.client.get(path)
        assert (answer.status_code, answer.json()) == (200, {"name": "ncf", "ready": True}), path
        assert proxy.client.head(path).status_code == 200
    assert_error(proxy.client.get("/v2/models/ncf/versions/9.9/ready"), 404)
    assert_error(proxy.client.get("/v2/models/ncf/versions/9.9"), 404)


@needs_nginx
def test_a_page_of_an_allowed_origin_may_ask(proxy: Proxy) -> None:
    for path in ("/predictions/ncf", "/v2/models/ncf/infer"):
        before = proxy.client.options(path, headers=PREFLIGHT)
        assert (before.status_code, before.content) == (204, b"")
        assert before.headers["access-control-allow-origin"] == ORIGIN
        assert "POST" in before.headers["access-control-allow-methods"]
        assert "Content-Type" in before.headers["access-control-allow-headers"]
    answer = proxy.client.post("/predictions/ncf", json=PAIR, headers={"Origin": ORIGIN})
    assert (answer.status_code, answer.headers.get_list("access-control-allow-origin")) == (200, [ORIGIN])
    assert "X-Model-Version" in answer.headers["access-control-expose-headers"]
    refused = proxy.client.post("/predictions/ncf", json={}, headers={"Origin": ORIGIN})
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (400, ORIGIN)


@needs_nginx
def test_a_page_of_another_origin_may_not_ask(proxy: Proxy) -> None:
    for origin in ("https://evil.example", ORIGIN + ".evil.example", "null"):
        before = proxy.client.options("/predictions/ncf", headers={**PREFLIGHT, "Origin": origin})
        assert_error(before, 405)
        answer = proxy.client.post("/predictions/ncf", json=PAIR, headers={"Origin": origin})
        for told in (before, answer):
            assert not [name for name in told.headers if name.startswith("access-control")]
            assert told.headers["vary"] == "Origin"


def test_server_allows_no_origin_by_default(served: Project) -> None:
    url = served.settings.inference + "/predictions/ncf"
    for answer in (
        plain_http.options(url, headers=PREFLIGHT),
        plain_http.post(url, json=PAIR, headers={"Origin": ORIGIN}),
    ):
        assert answer.status_code == 200
        assert not [name for name in answer.headers if name.startswith("access-control")]
