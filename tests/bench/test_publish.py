"""Where results go: a benchmark replaces its own section of docs/benchmarks.md, and its file in bench/results."""

import argparse
import re
from pathlib import Path

import orjson
import pytest

from bench import publish as module
from bench.accuracy import SECTIONS
from bench.machine import ROOT, describe_machine, machine_line
from bench.publish import DOCUMENT, RESULTS, publish, replace_section

TEXT = "before\n<!-- one -->\nold\n<!-- end of one -->\nbetween\n<!-- two -->\nkept\n<!-- end of two -->\nafter\n"
NAMES = sorted(path.stem for path in RESULTS.glob("*.json"))


def test_section_is_replaced_and_the_rest_stays() -> None:
    assert replace_section(TEXT, "one", "new") == TEXT.replace("old", "new")


@pytest.mark.parametrize("text", ["", "<!-- three -->\n", "<!-- end of three -->\n<!-- three -->\n"])
def test_document_without_the_section_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="<!-- end of three -->"):
        replace_section(text, "three", "new")


def test_results_and_section_are_written_unless_told_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RESULTS", tmp_path)
    monkeypatch.setattr(module, "DOCUMENT", tmp_path / "benchmarks.md")
    module.DOCUMENT.write_text(TEXT)
    results = {**describe_machine(), "figure": float("inf")}
    publish("one", results, "| table |", argparse.Namespace(write_nothing=True))
    assert [path.name for path in tmp_path.iterdir()] == ["benchmarks.md"]
    assert module.DOCUMENT.read_text() == TEXT
    publish("one", results, "| table |", argparse.Namespace(write_nothing=False))
    assert module.DOCUMENT.read_text() == TEXT.replace("old", f"{machine_line(results)}\n\n| table |")
    assert orjson.loads((tmp_path / "one.json").read_bytes()) == {**results, "figure": None}


def test_every_benchmark_has_results_and_a_section() -> None:
    published = set(SECTIONS.values())
    for path in (ROOT / "bench").rglob("*.py"):
        published |= set(re.findall(r'publish\(\s*"(\w+)"', path.read_text(encoding="utf-8")))
    sections = re.findall(r"<!-- ([\w-]+) -->\n", DOCUMENT.read_text(encoding="utf-8"))
    assert len(published) >= 10
    assert published == set(sections) >= set(NAMES)
    assert len(sections) == len(set(sections))


@pytest.mark.parametrize("name", NAMES)
def test_section_describes_the_run_of_its_results(name: str) -> None:
    results = orjson.loads((RESULTS / f"{name}.json").read_bytes())
    assert f"<!-- {name} -->\n{machine_line(results)}\n\n" in DOCUMENT.read_text(encoding="utf-8")


def test_pictures_and_links_of_the_document_exist() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert len(links) > 10
    for link in links:
        path, _, anchor = link.partition("#")
        assert not path or (DOCUMENT.parent / path).exists(), link
        assert path or anchor in anchors, link
