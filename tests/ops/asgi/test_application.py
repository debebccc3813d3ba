"""Paths, headers and bodies of the ASGI server; tests/handler tests the answers themselves."""

import asyncio
import gzip
import json
import tomllib
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pytest

from handler.request import Request, Response
from ops.asgi.about import SERVER
from ops.asgi.cors import Cors
from ops.asgi.versions import Versions
from tests.ops.asgi.conftest import Ask, application, asking

PAIR = {"user_id": 11_242, "movie_id": 10_253}
READY = {"name": "ncf", "ready": True}
ORIGIN = "https://app.example.org"


@pytest.mark.parametrize(
    ("path", "version"),
    [
        ("/predictions/ncf", "1.0"),
        ("/predictions/ncf/1.1", "1.1"),
        ("/explanations/ncf/1.1", "1.1"),
        ("/v1/models/ncf:predict", "1.0"),
        ("/v1/models/ncf:explain", "1.0"),
        ("/v2/models/ncf/infer", "1.0"),
        ("/v2/models/ncf/versions/1.1/infer", "1.1"),
    ],
)
def test_every_path_reaches_its_version(ask: Ask, path: str, version: str) -> None:
    body = {"instances": [PAIR]}
    answer = ask("POST", path, json=body)
    assert (answer.status_code, answer.headers["x-model-version"]) == (200, version)
    assert ("explanations" in answer.json()) == ("expla" in path)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models/ncf",
        "/v2/health/ready",
        "/v2/models/ncf/ready",
        "/v2/models/ncf/versions/1.1/ready",
    ],
)
def test_readiness_has_the_format_of_kserve(ask: Ask, path: str) -> None:
    assert ask("GET", path).json() == READY
    head = ask("HEAD", path)
    assert (head.status_code, head.content) == (200, b"")
    assert ask("POST", path).status_code == 405


def test_liveness_metadata_and_versions_are_answered(ask: Ask) -> None:
    assert ask("GET", "/ping").json() == {"status": "Healthy"}
    assert ask("GET", "/v2/health/live").json() == {"live": True}
    assert ask("GET", "/v1/models").json() == {"models": ["ncf"]}
    assert ask("GET", "/v2/models/ncf/versions/1.1").json()["versions"] == ["1.1"]
    assert [one["modelVersion"] for one in ask("GET", "/models/ncf/all").json()] == ["1.0", "1.1"]
    [described] = ask("GET", "/models/ncf/1.1").json()
    assert (described["modelVersion"], described["workers"][0]["status"]) == ("1.1", "READY")
    assert "schema" in described["customizedMetadata"]


def test_server_reports_the_project_version(ask: Ask) -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    assert ask("GET", "/v2").json() == SERVER
    assert SERVER["version"] == project["version"]


@pytest.mark.parametrize("path", ["/predictions/other", "/predictions/ncf/9", "/v2/models/ncf/versions/9", "/models"])
def test_an_unknown_path_model_or_version_is_a_404_in_json(ask: Ask, path: str) -> None:
    answer = ask("POST", path, json=PAIR)
    assert (answer.status_code, answer.json()["code"]) == (404, 404)
    assert "; versions: 1.0" in answer.json()["message"]


def test_client_headers_cannot_change_the_route(ask: Ask) -> None:
    plain = ask("POST", "/predictions/ncf", json=PAIR).json()
    for name in ("explain", "describe"):
        assert ask("POST", "/predictions/ncf", json=PAIR, headers={name: "True"}).json() == plain
    assert ask("POST", "/predictions/ncf", headers={"describe": "ready"}).json() == READY  # nginx asks so


def test_request_id_is_returned_without_unsafe_characters(ask: Ask) -> None:
    for sent, got in (("5f3c-17", "5f3c-17"), ('a" b', "a__b"), ("x" * 500, "x" * 128)):
        answer = ask("POST", "/predictions/ncf", json=PAIR, headers={"X-Request-Id": sent})
        assert answer.headers["x-request-id"] == got
    assert "x-request-id" not in ask("POST", "/predictions/ncf", json=PAIR).headers


@pytest.mark.parametrize("chunked", [True, False])
def test_body_over_the_limit_is_refused_before_its_end(ask: Ask, chunked: bool) -> None:
    async def parts() -> Any:
        for _ in range(1000):
            yield b"[" * 100

    content = parts() if chunked else b"[" * 100_000
    answer = ask("POST", "/predictions/ncf", content=content)
    assert (answer.status_code, answer.json()["type"]) == (413, "TooLarge")


def test_compressed_bodies_are_read(ask: Ask) -> None:
    sent = gzip.compress(json.dumps(PAIR).encode())
    for encoding, status in (("gzip", 200), ("br", 415), ("deflate", 400)):
        headers = {"content-type": "application/json", "content-encoding": encoding}
        assert ask("POST", "/predictions/ncf", content=sent, headers=headers).status_code == status


def test_the_only_field_of_a_form_is_the_body(ask: Ask) -> None:
    text = json.dumps(PAIR)
    expected = ask("POST", "/predictions/ncf", json=PAIR).json()
    assert ask("POST", "/predictions/ncf", files={"anything": text.encode()}).json() == expected
    assert ask("POST", "/predictions/ncf", data={"body": text}).json() == expected
    two = ask("POST", "/predictions/ncf", files={"a": b"1", "b": b"2"})
    assert (two.status_code, "none found" in two.json()["message"]) == (400, True)
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert "sent as form data" in ask("POST", "/predictions/ncf", content=text, headers=form).json()["message"]


@pytest.mark.parametrize(
    "body", [b"", b"--x", b"--x\r\n\r\n{}", b"\xff\x00--x--", b"--x\r\nContent-Disposition: x\r\n"]
)
def test_a_broken_form_is_a_bad_request(ask: Ask, body: bytes) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}
    assert ask("POST", "/predictions/ncf", content=body, headers=headers).status_code == 400
    assert ask("POST", "/predictions/ncf", content=body, headers={"content-type": "multipart/form-data"}).is_error


def test_a_browser_gets_the_page(ask: Ask) -> None:
    answer = ask("GET", "/predictions/ncf", headers={"accept": "text/html"})
    assert answer.headers["content-type"].startswith("text/html")
    assert "content-security-policy" in answer.headers


def test_only_pages_of_the_allowed_origin_may_send_requests(versions: Versions) -> None:
    app = application(versions, Cors(ORIGIN, "GET, POST", "Content-Type"))

    async def both(client: httpx.AsyncClient, origin: str) -> tuple[httpx.Response, httpx.Response]:
        headers = {"origin": origin}
        before = await client.options("/predictions/ncf", headers=headers)
        return before, await client.post("/predictions/ncf", json=PAIR, headers=headers)

    before, answer = asking(app, lambda client: both(client, ORIGIN))
    assert (before.status_code, answer.status_code) == (204, 200)
    assert before.headers["access-control-allow-methods"] == "GET, POST"
    assert {one.headers["access-control-allow-origin"] for one in (before, answer)} == {ORIGIN}
    before, answer = asking(app, lambda client: both(client, "https://evil.example"))
    assert (before.status_code, answer.status_code) == (403, 200)
    assert not [name for one in (before, answer) for name in one.headers if name.startswith("access-control")]


def test_simultaneous_requests_form_one_batch_and_too_many_are_refused(versions: Versions) -> None:
    service = versions.served["1.0"].service
    sizes = []

    def answer(requests: list[Request]) -> list[Response]:
        sizes.append(len(requests))
        return type(service).answer(service, requests)

    async def ask(client: httpx.AsyncClient) -> list[int]:
        answers = await asyncio.gather(*[client.post("/predictions/ncf", json=PAIR) for _ in range(60)])
        return [one.status_code for one in answers]

    with patch.object(service, "answer", answer):
        statuses = asking(application(versions, most_waiting=50), ask)
    assert sizes == [48, 2]
    assert sorted(statuses) == [200] * 50 + [503] * 10


def test_service_fault_gives_500_to_its_batch_only(versions: Versions) -> None:
    service = versions.served["1.0"].service
    app = application(versions)
    with patch.object(service, "answer", side_effect=RuntimeError("secret")):
        broken: httpx.Response = asking(app, lambda client: client.post("/predictions/ncf", json=PAIR))
    assert (broken.status_code, "secret" in broken.text) == (500, False)
    assert asking(app, lambda client: client.post("/predictions/ncf", json=PAIR)).status_code == 200
