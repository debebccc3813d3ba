"""A shop's data set: products and categories instead of movies and genres, from its files to the page."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from ops.versions.rollout import Rollout
from tests.e2e.browser import needs_browser, opened, rate, rows
from tests.e2e.conftest import QUICK
from tests.e2e.project import Project

pytestmark = [pytest.mark.e2e]
VERSION = "shop-1"
SHOP = ("DATA=shop/ratings.csv", "ITEM=product", "TAGS=categories", f"VERSION={VERSION}", f"TRAIN_ARGS={QUICK}")
KINDS = ("Garden", "Kitchen", "Toys", "Books")


def write_shop(folder: Path) -> None:
    """60 products of four categories, and ratings by 200 customers who like one category each."""
    folder.mkdir()
    dice = random.Random(0)
    lines = ["sku,name,category,price"]
    lines += [f"P{number:02},Thing {number},{KINDS[number % 4]},{5 + number / 4}" for number in range(60)]
    (folder / "products.csv").write_text("\n".join(lines) + "\n")
    lines = ["customer,sku,stars"]
    for customer in range(200):
        for number in dice.sample(range(60), 20):
            stars = 5 if number % 4 == customer % 4 else dice.choice([1, 2, 3])
            lines.append(f"{customer},P{number:02},{stars}")
    (folder / "ratings.csv").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def told(served: Project) -> Iterator[str]:
    """The output of `make` for the shop's version, which is then served beside that of movies."""
    write_shop(served.folder / "shop")
    told = served.make("package", *SHOP)
    rollout = Rollout(served.client, served.settings)
    rollout.register(VERSION)
    yield told
    rollout.unregister(VERSION)


def test_training_reports_the_chosen_columns(served: Project, told: str) -> None:
    assert "columns: customer for users, sku for products, stars for ratings" in told
    assert 'sku for products, name for titles and category for categories ("|" between them)' in told
    assert "price shown in answers where `fields` asks" in told
    card = (served.folder / "build" / VERSION / "MODEL_CARD.md").read_text()
    assert '"product_id":' in card
    assert "movie" not in card


@pytest.mark.usefixtures("told")
def test_the_report_has_products_and_no_movies(served: Project) -> None:
    served.make("report", f"VERSION={VERSION}")
    page = (served.folder / "build" / VERSION / "report.html").read_text()
    assert "Known users and products" in page
    assert "Ratings per product" in page
    shown = re.sub('data:image/png;base64,[^"]*', "", page)
    shown = re.sub("<h3>Configuration</h3>.*", "", shown, flags=re.DOTALL)  # the names of options
    assert re.findall(".*(?:movie|genre).*", shown, flags=re.IGNORECASE) == []


@pytest.fixture
def default(served: Project, told: str) -> Iterator[None]:
    """The shop's version is the default one."""
    assert told
    rollout = Rollout(served.client, served.settings)
    rollout.promote(VERSION)
    yield
    rollout.promote("1.0")


@pytest.mark.usefixtures("default")
def test_make_serve_prints_curl_lines_with_products(served: Project) -> None:
    lines = [line for line in served.make("serve", *SHOP).splitlines() if line.startswith(("curl ", "{"))]
    commands, answers = lines[::2], [json.loads(line) for line in lines[1::2]]
    bodies = [json.loads(re.findall("-d '(.*)'", line)[0]) for line in commands]
    asked = [{"user_id", "product_id"}, {"user_id", "product_ids"}, {"user_id", "top_k"}, {"instances"}]
    assert [body.keys() for body in bodies] == asked
    assert [served.ask(body).json() for body in bodies] == answers
    assert "product_id" in answers[0]
    assert answers[2]["recommendations"][0]["categories"]
    assert "movie" not in "".join(lines)


@pytest.mark.usefixtures("told")
def test_requests_and_answers_name_products_and_categories(served: Project) -> None:
    pair = served.ask({"user_id": 1, "product_id": "P01"}, VERSION).json()
    assert pair.keys() == {"user_id", "product_id", "rating"}
    assert served.ask({"user_id": 1, "item_id": "P01"}, VERSION).json() == pair
    body = {"user_id": 1, "top_k": 3, "categories": ["Toys"], "fields": ["price"], "exclude_seen": False}
    best = served.ask(body, VERSION).json()["recommendations"]
    assert [one["categories"] for one in best] == [["Toys"]] * 3
    assert all(one["product_id"].startswith("P") and one["title"] and one["price"] for one in best)
    assert served.ask({"search": "thing 1", "limit": 2}, VERSION).json()["products"]
    refused = served.ask({"user_id": 1, "movie_id": "P01"}, VERSION)
    assert refused.status_code == 400
    assert "product_ids" in refused.json()["message"]


@pytest.mark.usefixtures("told")
def test_tensors_and_description_name_products(served: Project) -> None:
    described = served.client.describe(VERSION)
    assert described["num_products"] == 60
    assert described["vocabulary"] == {"item": "product", "tags": "categories"}
    column = {"shape": [1], "datatype": "INT64", "data": [1]}
    product = {"name": "product_id", "shape": [1], "datatype": "BYTES", "data": ["P01"]}
    answer = served.ask({"inputs": [{"name": "user_id", **column}, product]}, VERSION).json()
    assert answer["outputs"][0]["name"] == "rating"


@needs_browser
@pytest.mark.usefixtures("told")
def test_page_finds_rates_and_explains_products(served: Project, chromium: Browser) -> None:
    with opened(chromium, f"{served.settings.inference}/predictions/ncf/{VERSION}") as tab:
        page = tab.page
        page.get_by_label("Find products you know").fill("thing 1")
        expect(page.get_by_role("listbox", name="Products found").get_by_role("option").first).to_contain_text(
            "Thing 1"
        )
        page.keyboard.press("Enter")
        expect(page.get_by_label("Category")).to_be_visible()
        rate(page.locator("#rated .glyphs").first, 0.95)
        expect(page.locator("#best-title")).to_have_text("For you")
        rows(page).first.locator(".open").click()
        expect(page.locator(".why:not([aria-busy]) .fall")).to_contain_text("this product")
        expect(page.locator("#best .genre").first).to_have_text(re.compile("|".join(KINDS)))
        assert "movie" not in page.locator("#discover").inner_text().lower()
        page.get_by_role("button", name="Model").click()
        expect(page.locator("#model .facts").first).to_contain_text("products")
