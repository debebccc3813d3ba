"""The verdict follows from the figures, and names the deciding one."""

from __future__ import annotations

from typing import Any

import pytest

from ops.canary import decision
from ops.canary.agreement import Agreement
from ops.canary.decision import Decision, decide
from ops.canary.trial import Report, Side
from ops.versions import lineage
from train.compare import __main__ as compare
from train.compare import judges


def figures(
    errors: tuple[float, float], rankings: tuple[float, float], rows: int = 5_000, users: int = 800, news: int = 0
) -> dict[str, Any]:
    """Intervals of differences, of an error of 1 and an nDCG of 0.2."""
    return {
        "version": {"ratings": 1_000 + news},
        "other": {"ratings": 1_000},
        "errors": one(errors, 1.0, rows, users),
        "rankings": one(rankings, 0.2, users, users),
    }


def one(interval: tuple[float, float], other: float, rows: int, users: int) -> dict[str, Any]:
    difference = sum(interval) / 2
    low, high = interval
    told = {"difference": difference, "low": low, "high": high, "version": other + difference, "other": other}
    return {"rows": rows, "users": users, **told}


BETTER, WORSE, EQUAL, OPEN = (-0.03, -0.01), (0.01, 0.03), (-0.004, 0.006), (-0.05, 0.05)
# Intervals for rankings, for which higher is better.
RANKED_BETTER, RANKED_WORSE, RANKED_EQUAL, RANKED_OPEN = (0.01, 0.03), (-0.03, -0.01), (-0.005, 0.005), (-0.05, 0.05)


@pytest.mark.parametrize(
    ("errors", "rankings", "verdict", "first"),
    [
        (BETTER, RANKED_EQUAL, "promote", "better: mean squared error 0.9800 against 1.0000"),
        (EQUAL, RANKED_BETTER, "promote", "better: nDCG@10"),
        (BETTER, RANKED_BETTER, "promote", "better: mean squared error"),
        (BETTER, RANKED_WORSE, "keep", "worse: nDCG@10"),
        (WORSE, RANKED_BETTER, "keep", "worse: mean squared error"),
        (EQUAL, RANKED_EQUAL, "keep", "nothing is gained"),
        (OPEN, RANKED_EQUAL, "cannot tell, 5,000 rows are too few", "not clear: mean squared error"),
        (BETTER, RANKED_OPEN, "cannot tell, 800 users are too few", "not clear: nDCG@10"),
        (OPEN, RANKED_OPEN, "cannot tell, 5,000 rows and 800 users are too few", "not clear: mean squared error"),
        (OPEN, RANKED_WORSE, "keep", "worse: nDCG@10"),
    ],
)
def test_the_intervals_decide(
    errors: tuple[float, float], rankings: tuple[float, float], verdict: str, first: str
) -> None:
    decision = decide(figures(errors, rankings), None)
    assert decision.verdict == verdict
    assert decision.reasons[0].startswith(first)


def test_version_with_more_ratings_that_is_not_worse_is_promoted() -> None:
    decision = decide(figures(EQUAL, RANKED_EQUAL, news=50), None)
    assert decision.verdict == "promote"
    assert decision.reasons[0] == "it knows 50 more ratings, and is not worse"


def test_certain_difference_within_the_margin_counts_as_equal() -> None:
    decision = decide(figures((0.002, 0.004), RANKED_EQUAL), None)
    assert decision.verdict == "keep"
    assert decision.reasons[1].startswith("not worse by more than 1%: mean squared error")


@pytest.mark.parametrize(
    ("rows", "users", "few"),
    [(99, 60, "99 rows are"), (500, 29, "29 users are"), (1, 60, "1 row is"), (1, 1, "1 row and 1 user are")],
)
def test_too_few_rows_never_decide(rows: int, users: int, few: str) -> None:
    decision = decide(figures(BETTER, RANKED_BETTER, rows, users), None)
    assert decision.verdict == f"cannot tell, {few} too few"


def test_open_verdict_estimates_the_rows_needed() -> None:
    """Half the interval's width is 0.05, five times the margin: 25 times the rows."""
    assert decide(figures(OPEN, RANKED_EQUAL), None).reasons[0].endswith("5,000 rows; about 125,000 would do")


def trial(errors: int = 0, p50_ms: float = 2.0) -> Report:
    same = Agreement(100, 1.0, 0.0, 0.0, 1.0)
    return Report("shadow", 1.0, Side("1.0", 100, 1, 2.0, 4.0), Side("1.1", 100, errors, p50_ms, 9.0), same)


@pytest.mark.parametrize(
    ("tried", "told"),
    [
        (trial(errors=2), "it failed 2 of 100 requests; 1 of 100 failed on version 1.0"),
        (trial(p50_ms=8.0), "it is too slow: median 8.0 ms against 2.0 ms"),
    ],
)
def test_failing_or_slow_version_is_never_promoted(tried: Report, told: str) -> None:
    assert decide(figures(BETTER, RANKED_BETTER), trial(errors=1)).verdict == "promote"
    decision = decide(figures(BETTER, RANKED_BETTER), tried)
    assert decision == Decision("keep", (told, *decision.reasons[1:]))


def test_measurement_and_decision_share_the_minimum_numbers() -> None:
    assert decision.FEWEST_ROWS == judges.FEWEST_ROWS
    assert lineage.SAME_ITEMS == compare.SAME_ITEMS
