"""Debian's Chromium, driven by Playwright, and the checks that every test of the page makes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.waiting import DEADLINE_S

CHROMIUM = shutil.which("chromium")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")

expect.set_options(timeout=1000 * DEADLINE_S)

# A row that still fades in has too little contrast. The progress bar of a busy page never ends, so it is left out.
FADED_IN = """() => Promise.all(document.getAnimations()
    .filter(animation => animation.effect.getComputedTiming().endTime !== Infinity)
    .map(animation => animation.finished.catch(() => null)))"""


@contextmanager
def browser() -> Iterator[Browser]:
    """A Chromium without a window."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


class Watched:
    """One tab, with its log and its requests."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        self.asked: list[str] = []
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))

    def check(self, origin: str) -> None:
        """Checks that the page logged no error and sent no request to another host."""
        assert self.errors == []
        assert [url for url in self.asked if not url.startswith((origin, "data:"))] == []

    def violations(self) -> list[Any]:
        """The problems that axe-core finds. It is evaluated, because the page's policy forbids to inject a script."""
        self.page.evaluate(FADED_IN)
        found = Axe().run(self.page).response["violations"]
        return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]


@contextmanager
def opened(browser: Browser, address: str) -> Iterator[Watched]:
    """A tab with the page of this address. At the end, it checks the tab's log and its requests."""
    context = browser.new_context(ignore_https_errors=True)
    context.set_default_timeout(1000 * DEADLINE_S)
    watched = Watched(context.new_page())
    watched.page.goto(address)
    expect(rows(watched.page)).to_have_count(12)
    yield watched
    parts = urlsplit(address)
    watched.check(f"{parts.scheme}://{parts.netloc}")
    context.close()


def rows(page: Page) -> Locator:
    """The movies in the list."""
    return page.locator("#best > li")


def rate(stars: Locator, share: float) -> None:
    """Clicks on the stars at this share of their width, as soon as they no longer move."""
    area = stars.bounding_box()
    assert area is not None
    stars.click(position={"x": share * area["width"], "y": area["height"] / 2})


def search(page: Page, text: str) -> Locator:
    """Types into the search, and waits for the results."""
    page.fill("#search", "")
    page.locator("#search").press_sequentially(text)
    expect(page.locator("#found [role=option]").first).to_be_visible()
    return page.locator("#found [role=option]")
