"""A canary tried with a share of the requests, on the real server."""

import json
from typing import Any

import pytest

from tests.e2e.project import Project
from tests.e2e.test_serving import in_process

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("alone_afterwards")]


def report(project: Project, *arguments: str) -> dict[str, Any]:
    told = project.make("canary", "VERSION=1.1", *arguments)
    assert "wrote build/1.1/canary.json" in told
    found: dict[str, Any] = json.loads((project.folder / "build" / "1.1" / "canary.json").read_text())
    return found


def test_a_shadow_is_compared_with_the_default(both: Project) -> None:
    example = both.client.describe()["example"]
    pairs = [{"user_id": example["user_id"], "movie_id": movie} for movie in example["movie_ids"]]
    lines = [json.dumps(body) for body in [*pairs, {"user_id": "x"}]]
    (both.folder / "requests.jsonl").write_text("\n".join(lines) + "\n")
    found = report(both, "REQUESTS=requests.jsonl", "SHARE=1")
    for side, version in (("default", "1.0"), ("canary", "1.1")):
        assert found[side]["version"] == version
        assert (found[side]["requests"], found[side]["errors"]) == (len(lines), 1)
        assert 0 < found[side]["p50_ms"] <= found[side]["p99_ms"]
    ratings = zip(in_process(both, pairs), in_process(both, pairs, "1.1"), strict=True)
    differences = [abs(one - other) for one, other in ratings]
    verdict = json.loads((both.folder / "build" / "1.1" / "verdict.json").read_text())
    assert verdict["with"] == "1.0"
    assert verdict["requests"] == f"{len(lines)} recorded in requests.jsonl"
    assert verdict["measured"]["errors"]["rows"] == verdict["measured"]["rows"]["number"] > 100
    agreement = found["agreement"]
    assert agreement["requests"] == len(lines)
    assert agreement["max_rating_difference"] == pytest.approx(max(differences), abs=1e-5)
    assert agreement["mean_rating_difference"] == pytest.approx(sum(differences) / len(pairs), abs=1e-5)
    assert agreement["identical"] == pytest.approx(1 / len(lines))  # the error
    assert agreement["top_k_overlap"] is None


def test_a_canary_takes_its_share_of_drawn_requests(both: Project) -> None:
    told = both.make("canary", "VERSION=1.1", "MODE=canary", "SHARE=0.25", "DATA=none.csv")
    assert "requests: 2,000 drawn at random" in told
    assert "verdict on 1.1 against 1.0: cannot tell" in told
    assert "none.csv: no such file or folder" in told
    found = json.loads((both.folder / "build" / "1.1" / "canary.json").read_text())
    assert found["agreement"] is None
    assert found["default"]["requests"] + found["canary"]["requests"] == 2000
    assert 400 < found["canary"]["requests"] < 600
    assert found["default"]["errors"] == found["canary"]["errors"] == 0


def test_impossible_trial_is_reported(both: Project) -> None:
    assert "version 1.0: expected a registered version other than the default" in both.make(
        "canary", "VERSION=1.0", "REQUESTS=requests.jsonl", check=False
    )
    assert "SHARE: got '2', allowed" in both.make("canary", "VERSION=1.1", "SHARE=2", check=False)
    (both.folder / "bad.jsonl").write_text('{"user_id": 1, "top_k": 1}\nnonsense\n')
    assert "bad.jsonl:2: not valid JSON" in both.make("canary", "VERSION=1.1", "REQUESTS=bad.jsonl", check=False)
