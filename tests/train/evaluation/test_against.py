"""The report on a version beside another shows what the comparison of the two found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from model.vocabulary import Vocabulary
from train.__main__ import main as train
from train.errors import DataError
from train.evaluation.against import read_verdict
from train.evaluation.history import draw_history
from train.evaluation.ranking_words import as_text
from train.evaluation.report import ReportConfig, write_report

ERRORS = {"rows": 500, "version": 3.1, "other": 3.25, "difference": -0.15, "low": -0.2, "high": -0.1}
VERDICT: dict[str, Any] = {
    "version": "1.1",
    "with": "1.0",
    "verdict": "promote",
    "reasons": ["better: <b>errors</b>"],
    "rows": "500 ratings",
    "measured": {
        "version": {"ratings": 1_200, "users": 70, "movies": 30},
        "other": {"ratings": 1_000, "users": 70, "movies": 31},
        "errors": ERRORS,
        "rankings": None,
    },
    "trial": {
        "canary": {"p50_ms": 2.0, "p99_ms": 9.0, "errors": 1},
        "default": {"p50_ms": 1.96, "p99_ms": 7.0, "errors": 0},
        "agreement": {"requests": 2_000, "mean_rating_difference": 0.0421, "top_k_overlap": None},
    },
    "requests": "2,000 drawn at random",
    "bytes": [3 * 2**20, 2 * 2**20],
}


def saved(folder: Path, **changes: Any) -> Path:
    path = folder / "verdict.json"
    path.write_text(json.dumps({**VERDICT, **changes}))
    return path


def test_the_table_has_both_versions_and_their_difference(tmp_path: Path) -> None:
    table = {row.name: row[1:] for row in read_verdict(saved(tmp_path))["table"]}
    assert table["mean squared error"] == ("3.1000", "3.2500", "-0.1500", "-0.2000 to -0.1000")
    assert table["ratings known"] == ("1,200", "1,000", "+200", "")
    assert table["users known"] == ("70", "70", "0", "")
    assert table["movies known"] == ("30", "31", "-1", "")
    in_a_shop = read_verdict(tmp_path / "verdict.json", Vocabulary(item="product"))["table"]
    assert "products known" in {row.name for row in in_a_shop}
    assert table["median, ms"] == ("2.0", "2.0", "0", "")
    assert table["99th percentile, ms"] == ("9.0", "7.0", "+2.0", "")
    assert table["requests that failed"] == ("1", "0", "", "")
    assert table["size, MiB"] == ("3.0", "2.0", "+1.0", "")
    assert "nDCG@10" not in table


def test_a_verdict_without_figures_has_a_table_too(tmp_path: Path) -> None:
    found = read_verdict(saved(tmp_path, measured={}, trial=None))
    assert [row.name for row in found["table"]] == ["size, MiB"]


@pytest.mark.parametrize(("text", "said"), [(None, "no such file"), ("[", "damaged"), ("{}", "damaged")])
def test_a_verdict_that_cannot_be_read_is_named(tmp_path: Path, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / "verdict.json").write_text(text)
    with pytest.raises(DataError, match=rf"verdict\.json: {said}.*`make compare"):
        read_verdict(tmp_path / "verdict.json")


def test_the_page_shows_the_verdict_and_its_reasons(small_file: Path, tmp_path: Path, quick_options: list[str]) -> None:
    out = tmp_path / "1.1"
    assert train(["--data", str(small_file), "--out", str(out), "--test-size", "0", *quick_options]) == 0
    page = write_report(ReportConfig(out, verdict=saved(tmp_path))).read_text(encoding="utf-8")
    assert "<h2>Beside version 1.0</h2>" in page
    assert "<h3>Verdict: promote</h3>" in page
    assert "<p>better: &lt;b&gt;errors&lt;/b&gt;</p>" in page
    assert "<td>-0.1500 <span>-0.2000 to -0.1000</span></td>" in page
    assert "ratings differ by 0.042 on average. Requests: 2,000 drawn at random." in page
    assert "Beside version" not in write_report(ReportConfig(out)).read_text(encoding="utf-8")


def test_a_history_is_drawn_whatever_is_missing(tmp_path: Path) -> None:
    known = {"version": "1.1", "way": "update", "ratings": 1_200, "verdict": "promote", "with": "1.0", "errors": ERRORS}
    reigns = [
        {"begun": "2026-01-31T09:00:00Z", "ended": "2026-02-01T09:00:00Z"},
        {"begun": "2026-02-03T09:00:00Z", "ended": None},
    ]
    minutes = [{"begun": "2026-01-31T09:00:00Z", "ended": "2026-01-31T09:02:40Z"}]
    draw_history([{**known, "reigns": minutes}], tmp_path / "minutes.png")
    bare: dict[str, Any] = {"version": "own-1", "verdict": None, "reigns": []}
    draw_history([{**known, "reigns": reigns}, bare], tmp_path / "history.png")
    draw_history([bare], tmp_path / "bare.png")
    assert (tmp_path / "history.png").read_bytes()[:4] == b"\x89PNG"
    assert (tmp_path / "history.png").stat().st_size > (tmp_path / "bare.png").stat().st_size


@pytest.mark.parametrize(
    ("figure", "shown"), [(0.12346, "0.1235"), (1.0, "1.0000"), (8.90012, "8.90"), (2972.6781, "2973"), (0.0, "0.0000")]
)
def test_a_ranking_figure_is_as_short_as_its_size_allows(figure: float, shown: str) -> None:
    assert as_text(figure) == shown
