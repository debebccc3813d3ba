"""Pages in browsers and a server with AUTH=on: pages of another origin, and the server's own page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from ops import auth
from tests.e2e import plain_http
from tests.e2e.browser import needs_browser, rate, rows
from tests.e2e.guarded import guarding, is_refused
from tests.e2e.nginx import NO_LIMIT, PAIR, Proxy, assert_error, needs_nginx, run_nginx, upstream
from tests.e2e.project import Project
from tests.e2e.test_other_clients import ORIGIN, PREFLIGHT

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def open_to_pages(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A server with AUTH=on and the lines of config.properties that allow requests from pages of one origin."""
    folder = tmp_path_factory.mktemp("open")
    with guarding(project, folder, {"#cors_": "cors_"}) as copy:
        yield copy


def test_pages_may_ask_the_server_if_cors_is_on(open_to_pages: Project) -> None:
    url = open_to_pages.settings.inference + "/predictions/ncf"
    key = {"Authorization": f"Bearer {auth.find_key(open_to_pages.settings, 'inference')}"}
    for code, body in ((200, PAIR), (400, {})):
        answer = plain_http.post(url, json=body, headers={"Origin": ORIGIN, **key})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (code, ORIGIN)
    for path in ("/predictions/ncf", "/v1/models/ncf:predict", "/v2/models/ncf/infer"):
        before = plain_http.options(open_to_pages.settings.inference + path, headers={**PREFLIGHT, **key})
        assert before.status_code == 200
        assert "POST" in before.headers["access-control-allow-methods"]
    assert is_refused(plain_http.options(url, headers=PREFLIGHT))  # a preflight has no key


@needs_nginx
def test_a_page_may_ask_a_server_with_keys_through_nginx(open_to_pages: Project, tmp_path: Path) -> None:
    changes = {**upstream(open_to_pages), f'# "{ORIGIN}"': f'"{ORIGIN}"'}
    key = {"Authorization": f"Bearer {auth.find_key(open_to_pages.settings, 'inference')}"}
    with run_nginx("ncf.conf", tmp_path, changes) as proxy:
        before = proxy.client.options("/predictions/ncf", headers=PREFLIGHT)
        assert (before.status_code, before.headers["access-control-allow-origin"]) == (204, ORIGIN)
        assert "Authorization" in before.headers["access-control-allow-headers"]
        answer = proxy.client.post("/predictions/ncf", json=PAIR, headers={"Origin": ORIGIN, **key})
        assert (answer.status_code, answer.headers.get_list("access-control-allow-origin")) == (200, [ORIGIN])
        for path in ("/v2/health/live", "/v2/health/ready", "/v2/models/ncf"):
            assert proxy.client.get(path, headers=key).status_code == 200
            assert is_refused(proxy.client.get(path))


@needs_nginx
@needs_browser
def test_a_browser_gets_the_page_without_a_key_and_is_asked_for_it(
    open_to_pages: Project, chromium: Browser, tmp_path: Path
) -> None:
    settings = open_to_pages.settings
    key = str(auth.find_key(settings, "inference"))
    changes = {**upstream(open_to_pages), **NO_LIMIT, '# "~^/page" "Bearer KEY";': f'"~^/page" "Bearer {key}";'}
    with run_nginx("ncf.conf", tmp_path, changes) as proxy:
        check_that_the_key_gives_the_page_alone(proxy)
        page = chromium.new_page(ignore_https_errors=True)
        page.goto(str(proxy.client.base_url))
        expect(page.locator("#key-hint")).to_contain_text("as make token prints it")
        enter(page, key)
        expect(rows(page)).to_have_count(12)
        auth.rotate(settings)
        rate(page.locator("#well-known .glyphs").first, 0.95)
        expect(page.locator("#key-hint")).to_contain_text("The key was refused: it is wrong or has expired.")
        enter(page, str(auth.find_key(settings, "inference")))
        expect(page.locator("#best-title")).to_have_text("For you")
        page.close()


def enter(page: Page, key: str) -> None:
    page.fill("#key", key)
    page.keyboard.press("Enter")


def check_that_the_key_gives_the_page_alone(proxy: Proxy) -> None:
    """nginx adds its key to requests for the page, so no body, query or header may reach anything else with it."""
    html, ask = {"Accept": "text/html"}, json.dumps({"user_id": 1, "top_k": 1})
    for path in ("/", "/predictions/ncf", "/predictions/ncf/1.0"):
        for options in ({}, {"content": ask}, {"params": {"body": ask}}, {"headers": {"explain": "True"}}):
            headers = {**html, **options.get("headers", {})}  # type: ignore[dict-item]
            answer = proxy.client.request("GET", path, **{**options, "headers": headers})  # type: ignore[arg-type]
            assert answer.headers["content-type"] == "text/html; charset=utf-8", (path, options)
    for path in ("/page", "/page/1.0"):
        assert_error(proxy.client.get(path, headers=html), 404)
    for method in ("GET", "POST"):
        assert is_refused(proxy.client.request(method, "/explanations/ncf", headers=html, content=ask))
    assert is_refused(proxy.client.post("/predictions/ncf", headers=html, content=ask))
