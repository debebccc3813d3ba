"""The report in a real browser: on a phone and on a desk, by day and by night."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.e2e.browser import browser, needs_browser
from tests.train.evaluation.test_against import ERRORS, VERDICT
from train.__main__ import main as train
from train.evaluation.report import ReportConfig, write_report
from train.output import ARTIFACT
from train.update.__main__ import main as update

pytestmark = [pytest.mark.e2e, needs_browser]

QUICK = (
    "--factors.factors 3 --factors.probe-sweeps 2 --factors.max-sweeps 3 --factors.score-sweeps 3 --factors.epochs 1"
)
REASONS = [
    "errors are better: mean squared error 3.1000 against 3.2500, difference -0.1500, interval -0.2000 to -0.1000",
    "measured with build/1.1-with-a-long-name/measured.pt and build/1.0/measured.pt",
]
SERIOUS = {"serious", "critical"}
# A table is cut off if it is wider than the box around it and that box cannot be scrolled by touch and by key.
CUT_OFF = """() => [...document.querySelectorAll('table')].filter(table => {
    const box = table.parentElement, last = table.rows[0].cells[table.rows[0].cells.length - 1]
    const beyond = last.getBoundingClientRect().right > box.getBoundingClientRect().right + 1
    const scrolls = ['auto', 'scroll'].includes(getComputedStyle(box).overflowX) && box.tabIndex === 0
    return beyond && !scrolls
}).map(table => table.innerText)"""


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A report with every part: folds, rankings, pictures, another version beside it. And the report of an update."""
    folder = tmp_path_factory.mktemp("report")
    random = np.random.default_rng(0)
    user, movie = np.repeat(np.arange(80), 12), np.concatenate([random.permutation(40)[:12] for _ in range(80)])
    rating = np.clip(np.round(6 + 2 * (user % 2 == movie % 2) + random.normal(0, 1, len(user))), 1, 10)
    pd.DataFrame({"user_id": user, "movie_id": movie, "rating": rating}).to_csv(folder / "ratings.csv", index=False)
    words = ["--data", str(folder / "ratings.csv"), "--out", str(folder), "--folds", "2", *QUICK.split()]
    assert train(words) == 0
    measured = {**VERDICT["measured"], "rankings": {**ERRORS, "version": 0.31, "other": 0.3}}
    verdict: dict[str, Any] = {**VERDICT, "reasons": REASONS, "measured": measured}
    (folder / "verdict.json").write_text(json.dumps(verdict))
    (folder / "new.csv").write_text("user_id,movie_id,rating\n1,100,9\n")
    words = ["--ratings", str(folder / "new.csv"), "--base", str(folder / ARTIFACT), "--out", str(folder / "updated")]
    assert update(words) == 0
    folders = {"trained": folder, "updated": folder / "updated"}
    return {name: write_report(ReportConfig(one, verdict=folder / "verdict.json")) for name, one in folders.items()}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.mark.parametrize(("name", "tables"), [("trained", 5), ("updated", 1)])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_report_fits_the_screen(
    chromium: Browser, reports: dict[str, Path], name: str, tables: int, width: int, scheme: Literal["light", "dark"]
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto(reports[name].as_uri())
    assert page.locator("table").count() >= tables
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CUT_OFF) == []
    found = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in SERIOUS] == []
    context.close()
