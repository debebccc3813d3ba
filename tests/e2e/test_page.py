"""The page in a real browser, with the real server: find a movie, see why, view the model, the worker and the JSON."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Route, expect

from handler.page import page_response
from tests.e2e import plain_http
from tests.e2e.browser import Watched, needs_browser, opened, rate, rows
from tests.e2e.project import ROOT, Project

pytestmark = [pytest.mark.e2e, needs_browser]
HTML = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture
def tab(chromium: Browser, served: Project) -> Iterator[Watched]:
    """A tab with the page open. At the end, it checks the tab's log and its requests."""
    with opened(chromium, f"{served.settings.inference}/predictions/ncf") as watched:
        yield watched


def test_only_a_browser_gets_the_page(served: Project) -> None:
    url = f"{served.settings.inference}/predictions/ncf"
    page = plain_http.get(url, headers=HTML)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src 'sha256-" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert len(page.content) < 100_000
    for accept in ("*/*", "application/json"):
        assert plain_http.get(url, headers={"accept": accept}).status_code == 400
        answer = plain_http.post(url, headers={"accept": accept}, json={"search": ""})
        assert answer.headers["content-type"] == "application/json"
    assert plain_http.post(url, headers=HTML, json={"search": ""}).json()["movies"]


def test_ratings_of_a_new_person_change_the_list_at_once(tab: Watched) -> None:
    page = tab.page
    before = rows(page).all_inner_texts()
    title = page.locator("#well-known .name").first.inner_text()
    page.fill("#search", title.split()[0][:3].upper())
    expect(page.locator("#found [role=option]").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    rate(page.locator("#rated .glyphs").first, 0.95)
    expect(page.locator("#best-title")).to_have_text("For you")
    for share in (0.95, 0.2, 0.95, 0.2):
        count = page.locator("#rated li").count()
        rate(page.locator("#well-known .glyphs").first, share)
        expect(page.locator("#rated li")).to_have_count(count + 1)
    expect(page.locator("#rated-count")).to_contain_text("5 ratings")
    page.wait_for_function("before => document.querySelector('#best').innerText !== before", arg="\n".join(before))
    page.wait_for_function(  # the list changes a moment after the last rating
        """() => {
            const ids = (items) => [...document.querySelectorAll(items)].map((one) => one.dataset.id);
            const rated = ids('#rated li');
            const shown = ids('#best > li');
            return shown.length > 0 && !shown.some((one) => rated.includes(one));
        }"""
    )


def test_keyboard_is_enough_to_rate_and_to_open_why(tab: Watched) -> None:
    page = tab.page
    page.focus("#search")
    page.keyboard.type("a")
    expect(page.locator("#found [role=option]").first).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#rated input")).to_be_focused()
    page.keyboard.press("End")
    expect(page.locator("#rated .said")).to_have_text("10")
    expect(page.locator("#best-title")).to_have_text("For you")
    rows(page).first.locator(".open").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".why h3").first).to_be_visible()


def test_why_adds_up_and_names_similar_movies(tab: Watched) -> None:
    page = tab.page
    rate(page.locator("#well-known .glyphs").first, 0.95)
    expect(page.locator("#best-title")).to_have_text("For you")
    rows(page).nth(1).locator(".open").click()
    expect(page.locator(".why:not([aria-busy]) .fall li")).to_have_count(5)
    told = page.locator(".fall .num").all_inner_texts()
    *parts, total = [float(text.replace("−", "-")) for text in told]
    assert sum(parts) == pytest.approx(total, abs=0.03)
    expect(page.locator(".why h3", has_text="Similar")).to_be_visible()
    assert tab.violations() == []


def test_genre_not_this_one_and_already_seen_filter_the_list(tab: Watched) -> None:
    page = tab.page
    first = rows(page).first.get_attribute("data-id")
    rows(page).first.get_by_text("Not this one").click()
    expect(page.locator(f"#best > li[data-id='{first}']")).to_have_count(0)
    page.click("#bring-back")
    expect(page.locator(f"#best > li[data-id='{first}']")).to_have_count(1)
    rows(page).first.get_by_text("Already seen").click()
    expect(page.locator(f"#rated li[data-id='{first}']")).to_have_count(1)
    expect(page.locator(f"#best > li[data-id='{first}']")).to_have_count(0)
    genre = page.locator("#genre option").nth(1).inner_text()
    page.select_option("#genre", genre)
    page.wait_for_function(
        "genre => [...document.querySelectorAll('#best .genre')].every(one => one.innerText.includes(genre))", arg=genre
    )


def test_known_user_is_found_by_surprise_and_by_id(tab: Watched) -> None:
    page = tab.page
    page.click("#for-user")
    expect(page.locator("#user-said")).to_contain_text("gave")
    expect(page.locator("#best-title")).to_contain_text("For user ")
    known = page.locator("#best-title").inner_text().removeprefix("For user ")
    page.click("#surprise")
    page.fill("#user-id", known[:3])
    page.locator("#users [role=option]").first.click()
    expect(page.locator("#best-title")).to_contain_text(f"For user {known[:3]}")
    expect(rows(page)).to_have_count(12)


@pytest.mark.parametrize("view", ["discover", "model", "worker", "try"])
@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1920, "dark")])
def test_every_view_is_accessible_and_fits_the_screen(tab: Watched, view: str, width: int, scheme: str) -> None:
    page = tab.page
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 900})
    page.click(f"nav [data-view={view}]")
    if view == "try":
        page.click("#try-send")
        expect(page.locator("#try-status")).to_contain_text("200")
    if view == "model":
        numbers = page.locator("#model tbody tr:has-text('network') td:last-child").all_inner_texts()
        assert numbers
        assert all(rows.replace(",", "").isdigit() for rows in numbers), "each table ends with its rows"
        expect(page.locator("#model h3").get_by_text("weighted by the rating that users gave")).to_have_count(1)
    if view == "worker":
        expect(page.locator("#worker h3").first).to_contain_text("version 1.0")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert tab.violations() == []


def test_title_with_markup_shows_as_text(tab: Watched) -> None:
    page = tab.page
    title = '<img src=x onerror="document.title=1">'

    def answer(route: Route) -> None:
        if "search" in (route.request.post_data or ""):
            route.fulfill(json={"search": "", "movies": [{"movie_id": "1", "title": title}]})
        else:
            route.continue_()

    page.route("**/predictions/ncf", answer)
    page.fill("#search", "x")
    expect(page.locator("#found li")).to_contain_text(title)
    page.keyboard.press("Enter")
    expect(page.locator("#rated .name")).to_have_text(title)
    assert page.locator("img").count() == 0


def test_lost_server_is_reported_and_asked_again(tab: Watched) -> None:
    page = tab.page
    page.route("**/predictions/ncf", lambda route: route.abort())
    rate(page.locator("#well-known .glyphs").first, 0.95)
    expect(page.locator("#note")).to_contain_text("The server does not answer.")
    page.unroute("**/predictions/ncf")
    expect(page.locator("#note")).to_be_hidden()
    expect(page.locator("#best-title")).to_have_text("For you")
    assert all("net::ERR_FAILED" in error for error in tab.errors)
    tab.errors.clear()


def test_key_is_asked_for_and_kept_only_in_memory(tab: Watched) -> None:
    page = tab.page
    refusal = {"code": 400, "type": "InvalidKeyException", "message": "Token Authentication failed."}

    def guard(route: Route) -> None:
        if route.request.headers.get("authorization") == "Bearer right":
            route.continue_()
        else:
            route.fulfill(status=400, json=refusal)

    page.route("**/predictions/ncf", guard)
    rate(page.locator("#well-known .glyphs").first, 0.95)
    for key, hint in (("wrong", "as make token prints it"), ("right", "The key was refused")):
        expect(page.locator("#key-hint")).to_contain_text(hint)
        page.fill("#key", key)
        page.keyboard.press("Enter")
    expect(page.locator("#best-title")).to_have_text("For you")
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    assert all("400" in error for error in tab.errors)
    tab.errors.clear()


def test_policy_names_the_hash_of_each_inline_part() -> None:
    page = (ROOT / "handler" / "page.html").read_bytes()
    policy = page_response(page).headers["content-security-policy"]
    assert policy.count("sha256-") == page.count(b"<script>") + page.count(b"<style>") == 2
    assert b" style=" not in page
    assert b"innerHTML" not in page
