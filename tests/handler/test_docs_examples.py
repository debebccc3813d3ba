"""What docs/api.md shows is of the contract."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson

from model.artifact import Artifact
from model.catalogue import Catalogue
from tests.e2e.project import ROOT
from tests.handler.conftest import Worker
from tests.handler.schemas import Schemas
from train.dataset.demo_names import GENRES

Make = Callable[..., Worker]
API = (ROOT / "docs" / "api.md").read_text(encoding="utf-8").split("\n## New users")[0]


def shown(text: str) -> Any:
    """An example of the page as JSON; `…` and words in brackets stand for more of the same."""
    return orjson.loads(re.sub(r"\[ [a-z][^\]]*\]", "[]", text.replace(", …", "")))


def test_every_example_of_the_docs_fits_the_schema(worker: Make, ranked_artifact: Artifact) -> None:
    demo = Catalogue({"genres": [list(GENRES)] * 6}, 6)
    schemas = Schemas(worker(replace(ranked_artifact, catalogue=demo)))
    rows = re.findall(r"^\| [^|]+ \| `(\{.*?\})` \| (?:`(\{.*?\})`|the same) \|$", API, re.MULTILINE)
    curls = re.findall(r"^curl -s \S+ .*-d '(\{.*\})'$", API, re.MULTILINE)
    answers = re.findall(r"<!-- test: answer -->\n```json\n(.*?)\n```", API, re.DOTALL)
    assert len(rows) >= 6
    assert len(curls) == len(answers) >= 2
    asked = [shown(row[0]) for row in rows] + [
        answerable(*map(shown, pair)) for pair in zip(curls, answers, strict=True)
    ]
    for body in asked:
        assert schemas.request.is_valid(body), body
    for text in [row[1] for row in rows if row[1]] + answers:
        assert schemas.answer.is_valid(shown(text)), text


def answerable(body: Any, answer: Any) -> Any:
    """A body without those instances that its answer calls an error."""
    if "instances" not in body:
        return body
    slots = zip(body["instances"], answer["predictions"], strict=True)
    return {"instances": [asked for asked, answered in slots if "error" not in answered]}
