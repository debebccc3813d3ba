"""The page with other data: 100,000 titles in two scripts, half stars, 1,000 ratings; and KMRD's Korean titles."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect

from ops.versions.rollout import Rollout
from tests.e2e.browser import Watched, needs_browser, opened, rate, rows, search
from tests.e2e.conftest import QUICK
from tests.e2e.project import Project

pytestmark = [pytest.mark.e2e, needs_browser]
KMRD = os.environ.get("KMRD_DIR")
TITLES = 100_000
MADE, KOREAN = "made", "korean"


@pytest.fixture(scope="module")
def large(served: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a version with 100,000 titles, with ratings from half a star to five stars."""
    folder = tmp_path_factory.mktemp("large")
    write_large(folder)
    yield from registered(served, MADE, folder / "ratings.csv")


@pytest.fixture(scope="module")
def kmrd(served: Project) -> Iterator[str]:
    if KMRD is None:
        pytest.skip("KMRD_DIR names no folder")
    yield from registered(served, KOREAN, Path(KMRD))


def registered(served: Project, version: str, data: Path) -> Iterator[str]:
    """The page's address for a version of this data, which is registered until the end of the block."""
    rollout = Rollout(served.client, served.settings)
    served.make("package", f"VERSION={version}", f"DATA={data}", f"TRAIN_ARGS={QUICK} --test-size 0")
    rollout.register(version)
    yield f"{served.settings.inference}/predictions/ncf/{version}"
    rollout.unregister(version)


def write_large(folder: Path) -> None:
    """Every movie has a title and two genres; most movies have no ratings."""
    drawn = random.Random(7)
    genres = ("Drama", "Comedy", "War", "Crime", "Romance")
    names = ("Harbour of Glass", "기억의 숲")
    movies = [f"{n},{names[n % 2]} {n:06d},{genres[n % 5]}|{genres[n % 4]}" for n in range(TITLES)]
    (folder / "movies.csv").write_text("\n".join(["movie_id,title,genres", *movies]) + "\n", encoding="utf-8")
    ratings = [
        f"{user},{movie},{drawn.randint(1, 10) / 2}"
        for user in range(300)
        for movie in sorted({int(3 * drawn.paretovariate(0.6)) % TITLES for _ in range(50)})
    ]
    (folder / "ratings.csv").write_text("\n".join(["user_id,movie_id,rating", *ratings]) + "\n")


@pytest.fixture
def tab(chromium: Browser, large: str) -> Iterator[Watched]:
    with opened(chromium, large) as watched:
        yield watched


def test_a_title_among_100_000_is_found_and_rated_in_half_stars(tab: Watched) -> None:
    page = tab.page
    found = search(page, "기억 077777")
    expect(found.first).to_contain_text("기억의 숲 077777")
    page.keyboard.press("Enter")
    rate(page.locator("#rated .glyphs").first, 0.69)
    expect(page.locator("#rated .said")).to_have_text("3.5")
    expect(page.locator("#best-title")).to_have_text("For you")
    page.click("#more")
    expect(rows(page)).to_have_count(24)
    assert tab.violations() == []


def test_a_thousand_ratings_are_sent_and_one_more_is_refused_in_words(tab: Watched) -> None:
    page = tab.page
    page.evaluate(
        """async () => {
            const { movies } = await ask({ search: "harbour", limit: 1000 });
            for (const movie of movies.slice(1)) {
                state.mine.set(idOf(movie), { ...movie, rating: 0.5 + Number(idOf(movie)) % 10 / 2 });
            }
            showMine();
        }"""
    )
    expect(page.locator("#rated-count")).to_contain_text("999 ratings")
    search(page, "기억 055555")
    page.keyboard.press("Enter")
    rate(page.locator("#rated .glyphs").first, 0.95)
    expect(page.locator("#rated-count")).to_contain_text("1,000 ratings")
    expect(page.locator("#best-title")).to_have_text("For you")
    rows(page).first.locator(".open").click()
    expect(page.locator(".why:not([aria-busy]) .fall li")).to_have_count(5)
    search(page, "기억 033333")
    page.keyboard.press("Enter")
    rate(page.locator("#rated .glyphs").first, 0.95)
    expect(page.locator("#note")).to_contain_text("At most 1000 ratings can be sent.")


def test_slow_server_shows_progress_and_late_answers_are_dropped(tab: Watched) -> None:
    """Holds every request, and then lets the last one go first."""
    page, held = tab.page, list[Route]()
    found = page.locator("#found [role=option]")

    def hold_until(text: str) -> None:
        page.fill("#search", text)
        while not any(text in (route.request.post_data or "") for route in held):
            page.wait_for_timeout(20)  # meanwhile the page sends its requests

    page.route("**/predictions/ncf/**", lambda route: held.append(route))  # Playwright takes no built-in method
    hold_until("harbour 000")
    expect(page.locator("#busy.on")).to_be_visible()
    hold_until("harbour 000044")
    for route in reversed(held):
        route.continue_()
        expect(found).to_have_count(1)
        expect(found).to_contain_text("Harbour of Glass 000044")
    expect(page.locator("#busy.on")).to_have_count(0)


def test_korean_titles_are_found_recommended_and_explained(chromium: Browser, kmrd: str) -> None:
    with opened(chromium, kmrd) as tab:
        page = tab.page
        title = page.locator("#well-known .name").first.inner_text()
        assert any("가" <= letter <= "힣" for letter in title)
        expect(search(page, title[:2]).first).to_be_visible()
        page.keyboard.press("Enter")
        rate(page.locator("#rated .glyphs").first, 0.95)
        expect(page.locator("#best-title")).to_have_text("For you")
        rows(page).first.locator(".open").click()
        expect(page.locator(".why:not([aria-busy]) .fall li")).to_have_count(5)
        shown = page.locator("#best").inner_text()
        assert sum("가" <= letter <= "힣" for letter in shown) > 20
        assert tab.violations() == []
