"""Runs README and docs as a new user does: commands, curl lines, and the answers in the text."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import QUICK, end
from tests.e2e.project import ROOT, Project, copy_project

pytestmark = pytest.mark.e2e

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
BLOCK = re.compile(r"(?:<!-- test: (\w+) -->\n)?```(\w+)\n(.*?)```", re.DOTALL)


def blocks(kind: str) -> list[str]:
    return [body for name, _, body in BLOCK.findall(TEXT) if name == kind]


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = copy_project(tmp_path_factory.mktemp("readme"))
    yield project
    end(project)


def test_first_command_serves_and_curl_lines_give_the_shown_answers(newcomer: Project) -> None:
    first = BLOCK.search(README)
    assert first is not None
    commands = [line.split("#")[0].strip() for line in first[3].splitlines()]
    assert commands == ["make serve", "make test"]
    printed = newcomer.run("bash", "-ec", commands[0]).stdout
    assert len(re.findall(r"^curl -s .*\n\{.*\}", printed, re.MULTILINE)) >= 4

    answers = [json.loads(answer) for answer in blocks("answer")]
    assert len(answers) == len(blocks("served")) >= 2
    for command, expected in zip(blocks("served"), answers, strict=True):
        answer = json.loads(newcomer.run("bash", "-ec", newcomer.on_our_ports(command)).stdout)
        assert_like(answer, expected)


def assert_like(answer: Any, expected: Any) -> None:
    """Equal, except that ratings may differ by 0.5 and that other movies may be recommended."""
    if isinstance(expected, dict):
        assert answer.keys() == expected.keys()
        for key in expected.keys() - {"title", "genres"} - ({"movie_id"} if "title" in expected else set()):
            assert_like(answer[key], expected[key])
    elif isinstance(expected, list):
        assert len(answer) == len(expected)
        for one, other in zip(answer, expected, strict=True):
            assert_like(one, other)
    elif isinstance(expected, float):
        assert answer == pytest.approx(expected, abs=0.5)
    else:
        assert answer == expected


def test_versions_are_changed_as_shown(newcomer: Project) -> None:
    newcomer.make("serve")
    with_make, with_curl = blocks("versions")
    quick = newcomer.on_our_ports(with_make).replace('TRAIN_ARGS="', f'TRAIN_ARGS="{QUICK} ')
    printed = newcomer.run("bash", "-ec", quick).stdout
    assert '"rating":' in printed
    assert re.search(r"^1\.1 +yes +\d+ READY", printed, re.MULTILINE)
    assert not re.search(r"^1\.0 .*$", printed.splitlines()[-1])
    listed = newcomer.run("bash", "-ec", newcomer.on_our_ports(with_curl)).stdout
    assert '"modelVersion": "1.0"' in listed
    assert [(one["version"], one["default"]) for one in newcomer.client.versions()] == [("1.0", True)]


def test_every_verb_that_the_docs_name_exists_and_the_main_ones_are_in_make_help(newcomer: Project) -> None:
    makefiles = "".join((newcomer.folder / name).read_text() for name in ("Makefile", "bench/bench.mk"))
    named = set(re.findall(r"(?:^|`|&& )make ([a-z][a-z-]+)", TEXT, re.MULTILINE))
    assert named <= set(re.findall(r"^([a-z-]+):", makefiles, re.MULTILINE))
    listed = newcomer.make("help") + newcomer.make("help-bench")
    helped = set(re.findall(r"^  ([a-z-]+) ", listed, re.MULTILINE))
    promised = "setup data train package serve stop test lint predict versions register promote unregister clean"
    assert set(promised.split()) <= helped


def test_the_files_that_the_docs_name_exist(newcomer: Project) -> None:
    named = r"`((?:handler|model|train|ops|bench|tests|docs)/[\w./-]+|config\.properties)`"
    for name in re.findall(named, TEXT):
        assert (Path(newcomer.folder) / name).exists(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_the_readme_is_short() -> None:
    assert len(README.split()) <= 1000
