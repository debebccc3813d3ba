"""The short form of `make soak`: the same stretches and faults, in seconds instead of minutes."""

import os
from pathlib import Path
from typing import Any

import pytest

from bench.soak.__main__ import parse, soak
from tests.e2e.failing import BATCH, needs_load
from tests.e2e.project import Project

pytestmark = [pytest.mark.e2e, needs_load]

SHORT = "--maximum-s 1 --overload-min 0.03 --requests 3000 --fault-s 1 --kills 1 --pipelining-min 0.03 --promotions 2"


@pytest.fixture(scope="module")
def found(project: Project, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Takes a minute or two: three versions are packed, and after each of five faults the server has to recover."""
    artifact = project.folder / "build" / "1.0" / "ncf.pt"
    return soak(parse(["--artifact", str(artifact), *SHORT.split()]), tmp_path_factory.mktemp("soak"))


def test_every_request_is_accounted_for_and_no_answer_is_wrong(found: dict[str, Any]) -> None:
    figures = found["figures"]
    tallies = {name: figures[name]["tally"] for name in ("overload", "endurance")}
    tallies |= {one["name"]: one["tally"] for one in figures["faults"]}
    for name, tally in tallies.items():
        fates = ("answered", "refused", "failed", "hung", "broken", "unsent")
        assert sum(tally[fate] for fate in fates) == tally["sent"] > 0
        assert tally["wrong"] == 0
        # A killed process restarts in seconds, or on a busy machine after the clients' timeout of ten seconds.
        assert tally["hung"] == 0 or "killed" in name, (name, tally)
    assert figures["endurance"]["tally"]["answered"] == figures["endurance"]["tally"]["checked"] >= 3000


def test_only_kills_lose_requests(found: dict[str, Any]) -> None:
    tallies = {one["name"]: one["tally"] for one in found["figures"]["faults"]}
    front_end = tallies.pop("the JVM killed")
    assert front_end["answered"] < front_end["sent"]
    for name in ("a worker killed (1)", "all workers killed"):
        killed = tallies.pop(name)
        assert killed["failed"] + killed["broken"] <= BATCH * (os.cpu_count() or 1)  # a batch in each worker
    assert {name: tally["answered"] for name, tally in tallies.items()} == {
        name: tally["sent"] for name, tally in tallies.items()
    }


def test_tables_contain_the_figures(found: dict[str, Any], tmp_path: Path) -> None:
    from bench.soak.report import draw

    for one in found["figures"]["faults"]:
        assert f"| {one['name']} | {one['tally']['sent']:,} |" in found["text"]
    draw(tmp_path / "soak.png", *found["picture"])
    assert (tmp_path / "soak.png").stat().st_size > 10_000
