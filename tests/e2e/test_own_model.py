"""Networks that were trained elsewhere, on a real server: each example of examples/, with the commands of its text."""

from __future__ import annotations

import random
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import Browser, expect

from ops.versions.rollout import Rollout
from tests.e2e import plain_http
from tests.e2e.browser import needs_browser, opened, rows
from tests.e2e.conftest import end
from tests.e2e.project import ROOT, Project, copy_project
from tests.e2e.test_docs_commands import marked
from tests.train.adopt.conftest import MOVIES, USERS, Own, script
from train.dataset.demo import write_demo

pytestmark = pytest.mark.e2e

EXAMPLES = {"own-1": "feed_forward", "own-2": "neumf", "own-3": "factors"}
SCALES = {"own-1": (1, 10), "own-2": (0, 1), "own-3": (1, 10)}


def commands_of(example: str) -> list[str]:
    """The two commands in an example's docstring."""
    text = (ROOT / "examples" / f"{example}.py").read_text().split('"""')[1].replace("\\\\\n", " ")
    return re.findall(r"^ *((?:python|make) .*)$", text, re.MULTILINE)


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """One server with the networks of the three examples, trained on some of the embedded ratings."""
    project = copy_project(tmp_path_factory.mktemp("owner"))
    demo = project.folder / "build" / "demo"
    write_demo(demo)
    header, *lines = (demo / "rates.csv").read_text().splitlines(keepends=True)
    lines = random.Random(0).sample(lines, 6_000)
    (demo / "rates.csv").write_text("".join([header, *lines[:4_000]]))
    (project.folder / "later.csv").write_text("".join([header, *lines[4_000:]]))
    for version, example in EXAMPLES.items():
        train, adopt = commands_of(example)
        project.run("bash", "-ec", f"PATH={project.folder / '.venv' / 'bin'}:$PATH {train}")
        told = project.run("bash", "-ec", adopt)
        assert f"wrote model-store/ncf-{version}.mar" in told.stdout + told.stderr
    project.make("serve")
    for version in ("own-2", "own-3"):
        Rollout(project.client, project.settings).register(version)
    yield project
    end(project)


def example_of(owner: Project, version: str) -> tuple[Any, Any]:
    """A user and a movie that the version knows."""
    example = owner.client.describe(version)["example"]
    return example["user_id"], example["movie_ids"][0]


@pytest.mark.parametrize("example", EXAMPLES.values())
def test_an_example_is_shorter_than_sixty_lines(example: str) -> None:
    assert len((ROOT / "examples" / f"{example}.py").read_text().splitlines()) < 60


def test_first_adopted_version_becomes_the_default(owner: Project) -> None:
    assert owner.versions == {"own-1": True, "own-2": False, "own-3": False}


@pytest.mark.parametrize("version", EXAMPLES)
def test_adopted_network_rates_pairs_and_flags_unknown_ids(owner: Project, version: str) -> None:
    user, movie = example_of(owner, version)
    low, high = SCALES[version]
    known = owner.ask({"user_id": user, "movie_id": movie}, version).json()
    assert low <= known["rating"] <= high
    stranger = owner.ask({"user_id": -1, "movie_id": movie}, version).json()
    assert (low <= stranger["rating"] <= high, stranger["unknown"]) == (True, ["user_id"])
    several = owner.ask({"instances": [{"user_id": user, "movie_id": movie}] * 3}, version).json()
    assert [one["rating"] for one in several["predictions"]] == pytest.approx([known["rating"]] * 3, abs=1e-5)


@pytest.mark.parametrize("version", EXAMPLES)
def test_an_adopted_network_ranks_its_movies(owner: Project, version: str) -> None:
    user, _ = example_of(owner, version)
    best = owner.ask({"user_id": user, "top_k": 5}, version).json()["recommendations"]
    assert len(best) == 5
    assert [one["score"] for one in best] == sorted((one["score"] for one in best), reverse=True)
    if version != "own-1":  # the other versions have ratings
        ratings = pd.read_csv(owner.folder / "build" / "demo" / "rates.csv")
        seen = set(ratings["movie"][ratings["user"] == user])
        assert not seen & {one["movie_id"] for one in best}
    if version == "own-3":
        assert all("title" in one for one in best)


@pytest.mark.parametrize("version", EXAMPLES)
def test_an_adopted_network_answers_columns(owner: Project, version: str) -> None:
    user, movie = example_of(owner, version)
    columns = [
        {"name": name, "shape": [2], "datatype": "INT64", "data": [value, value]}
        for name, value in (("user_id", user), ("movie_id", movie))
    ]
    url = f"{owner.settings.inference}/predictions/ncf/{version}"
    answer = plain_http.post(url, json={"inputs": columns}).json()
    [ratings] = [one["data"] for one in answer["outputs"] if one["name"] == "rating"]
    single = owner.ask({"user_id": user, "movie_id": movie}, version).json()["rating"]
    assert ratings == pytest.approx([single, single], abs=1e-5)


@pytest.mark.parametrize("version", EXAMPLES)
def test_unsupported_asks_of_an_adopted_network_are_reported(owner: Project, version: str) -> None:
    user, movie = example_of(owner, version)
    ratings = owner.ask({"ratings": [{"movie_id": movie, "rating": 1}], "top_k": 3}, version)
    assert (ratings.status_code, "takes no new ratings" in ratings.text) == (400, True)
    similar = owner.ask({"movie_id": movie, "similar": 3}, version)
    if version == "own-1":
        assert (similar.status_code, "has no vectors of movies" in similar.text) == (400, True)
    else:
        assert len(similar.json()["similar"]) == 3
    blend = owner.ask({"user_id": user, "top_k": 3, "rank_by": "blend"}, version)
    assert blend.status_code == (400 if version == "own-1" else 200), blend.text
    url = f"{owner.settings.inference}/explanations/ncf/{version}"
    told = plain_http.post(url, json={"user_id": user, "movie_id": movie})
    if version == "own-3":
        assert told.json()["because"], "two towers and ratings are enough for reasons"
    else:
        assert (told.status_code, "gives a rating and no reasons" in told.text) == (400, True)


@needs_browser
@pytest.mark.parametrize(("version", "sections"), [("own-1", 0), ("own-2", 1)])
def test_the_page_of_a_plain_network_shows_no_reasons_and_no_error(
    owner: Project, chromium: Browser, version: str, sections: int
) -> None:
    with opened(chromium, f"{owner.settings.inference}/predictions/ncf/{version}") as tab:
        rows(tab.page).first.locator(".open").click()
        shown = tab.page.locator(".why:not([aria-busy])")
        expect(shown).to_contain_text("It gives a rating and no reasons")
        expect(shown.locator("section")).to_have_count(sections)


def test_an_adopted_version_is_tried_compared_promoted_and_rolled_back(owner: Project) -> None:
    tried = owner.make("canary", "VERSION=own-3", "SHARE=0.1", "DATA=later.csv")
    assert re.search(r"own-3 \(canary\) +\d+ +0 ", tried), tried
    assert "drawn at random, as often as users rated" in tried
    assert "whether own-3 and own-1, trained elsewhere, saw them is not known" in tried
    compared = owner.make("compare", "VERSION=own-3", "WITH=own-1", "DATA=later.csv")
    assert "drawn at random, of each user equally often" in compared
    for told in (tried, compared):
        assert re.search(r"verdict on own-3 against own-1: (promote|keep|cannot tell)", told)
        assert re.search(r"mean squared error \d.*nDCG@10 \d|nDCG@10 \d.*mean squared error \d", told, re.DOTALL)
    unknown = owner.make("predict", "VERSION=own-9", check=False)
    assert re.search("predict: VERSION: got 'own-9', allowed: own-[123], own-[123], own-[123]\n", unknown)
    owner.make("promote", "VERSION=own-3")
    assert owner.default_version == "own-3"
    owner.make("rollback")
    assert owner.default_version == "own-1"


@pytest.mark.parametrize("version", EXAMPLES)
def test_the_lists_of_an_adopted_network_are_what_its_server_answers(owner: Project, version: str) -> None:
    owner.make("score", f"VERSION={version}", f"OUT=lists-{version}", "TOP_K=3", "EXCLUDE_SEEN=1")
    lists = pd.read_parquet(owner.folder / f"lists-{version}")
    first = lists.iloc[0]
    body = {"user_id": int(first["user_id"]), "top_k": 3, "exclude_seen": True}
    best = owner.ask(body, version).json()["recommendations"]
    assert list(first["movie_ids"]) == [one["movie_id"] for one in best]


def test_adopting_the_same_network_again_makes_no_version(owner: Project) -> None:
    before = (owner.folder / "build" / "own-2" / "ncf.pt").stat().st_mtime_ns
    again = shlex.split(commands_of("neumf")[1])
    assert "version own-2 was already made from exactly this" in owner.make(*again[1:])
    assert (owner.folder / "build" / "own-2" / "ncf.pt").stat().st_mtime_ns == before
    Path(owner.folder / "own" / "neumf" / "net.pt").write_bytes(b"")
    told = owner.make(*again[1:], check=False)
    assert "VERSION: own-2 already exists, and a version is never replaced" in told


def test_failed_adoption_leaves_no_files(owner: Project) -> None:
    (owner.folder / "bad.pt").write_bytes(b"no network")
    given = ["MODEL=bad.pt", "USERS=own/feed/users.csv", "MOVIES=own/feed/movies.csv"]
    assert "bad.pt: not a TorchScript file" in owner.make("adopt", *given, "VERSION=bad", check=False)
    assert not (owner.folder / "build" / "bad").exists()
    assert "MODEL: give the file: `make adopt" in owner.make("adopt", check=False)
    assert "USERS: none.csv: no such file" in owner.make(
        "adopt", "MODEL=bad.pt", "USERS=none.csv", "MOVIES=x", check=False
    )


def test_the_three_lines_of_the_page_run(owner: Project) -> None:
    script(Own(), owner.folder / "net.pt")
    (owner.folder / "users.csv").write_text("\n".join(["user_id", *map(str, USERS)]) + "\n")
    (owner.folder / "movies.csv").write_text("\n".join(["movie_id", *map(str, MOVIES)]) + "\n")
    end(owner)
    *_, told = [owner.run("bash", "-ec", command) for command in marked("own_model")]
    assert '"recommendations":' in told.stdout


def test_the_asgi_server_answers_for_adopted_networks(owner: Project) -> None:
    end(owner)
    owner.make("serve", "SERVER=asgi", "VERSION=own-2")
    user, movie = example_of(owner, "own-2")
    single = owner.ask({"user_id": user, "movie_id": movie}).json()["rating"]
    columns = [
        {"name": name, "shape": [1], "datatype": "INT64", "data": [value]}
        for name, value in (("user_id", user), ("movie_id", movie))
    ]
    url = f"{owner.settings.inference}/v2/models/ncf"
    answer = plain_http.post(f"{url}/infer", json={"inputs": columns}).json()
    assert (answer["model_version"], answer["outputs"][0]["data"]) == ("own-2", [pytest.approx(single, abs=1e-5)])
    assert len(owner.ask({"movie_id": movie, "similar": 3}).json()["similar"]) == 3
    refused = owner.ask({"ratings": [{"movie_id": movie, "rating": 1}], "top_k": 3})
    assert (refused.status_code, "takes no new ratings" in refused.text) == (400, True)
