"""The bounds of a soak, and the figures that they apply to."""

from dataclasses import replace

import numpy as np
import pytest

from bench.soak.faults import Survived
from bench.soak.memory import growth_per_million
from bench.soak.phases import Endurance, Overload, calm_after
from bench.soak.traffic import Outcome, Tally
from bench.soak.verdict import failures

MIB = (500.0, 300.0)
FINE = Tally(sent=2_000_000, answered=2_000_000, checked=2_000_000)
LOADED = Overload(10_000, 600, replace(FINE, refused=500_000, answered=1_500_000), 0.1, 2.0, 0.5, MIB, MIB, MIB, MIB)
ENDURED = Endurance(5_000, 400, FINE, MIB, MIB, MIB, (3.0, -1.0))
SURVIVED = Survived("all workers killed", 0.0, Tally(sent=1_000, answered=950, failed=50, checked=950), 5.0, 6.5)


def test_soak_within_all_bounds_passes() -> None:
    assert failures(LOADED, ENDURED, [SURVIVED]) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"loaded": replace(LOADED, calm_after_s=None)}, "overload: not normal again within 10 s"),
        ({"loaded": replace(LOADED, tally=replace(LOADED.tally, wrong=1))}, "overload: 1 wrong answers"),
        ({"endured": replace(ENDURED, tally=replace(FINE, answered=1_999_997))}, "endurance: 3 requests lost"),
        (
            {"endured": replace(ENDURED, growth_mib_per_million=(20.5, 0.0))},
            "endurance: the JVM grew by +20.5 MiB for a million requests",
        ),
        (
            {"endured": replace(ENDURED, growth_mib_per_million=(0.0, np.nan))},
            "endurance: the largest worker grew by +nan MiB for a million requests",
        ),
        (
            {"survived": [replace(SURVIVED, tally=replace(SURVIVED.tally, hung=2))]},
            "all workers killed: 2 requests without an answer for 10 s",
        ),
        ({"survived": [replace(SURVIVED, again_s=None)]}, "all workers killed: not right again within the load"),
    ],
)
def test_each_passed_bound_is_named(change: dict[str, object], says: str) -> None:
    found = {"loaded": LOADED, "endured": ENDURED, "survived": [SURVIVED], **change}
    assert failures(**found) == [says]  # type: ignore[arg-type]


def test_memory_growth_of_a_short_soak_is_ignored() -> None:
    few = replace(ENDURED, tally=Tally(sent=3_000, answered=3_000), growth_mib_per_million=(900.0, np.nan))
    assert failures(LOADED, few, [SURVIVED]) == []


def test_growth_is_per_million_requests_over_the_later_half() -> None:
    seconds = np.arange(100.0)
    done_s = np.repeat(seconds, 20_000)  # two millions
    front = np.where(seconds < 50, 10 * seconds, 500 + 0.1 * seconds)  # 0.1 MiB a second, of 20,000 requests
    rows = np.stack([seconds, front, np.full(100, 300.0)], axis=1)
    assert growth_per_million(rows, done_s) == pytest.approx((5.0, 0.0), abs=1e-6)
    assert np.isnan(growth_per_million(rows[:4], done_s)).all()


@pytest.mark.parametrize(
    ("latency_s", "good", "expected"),
    [
        ([0.01, 0.01, 0.01], [True, True, True], 0.0),
        ([0.01, 0.5, 0.01], [True, True, True], 2.0),  # too slow, then normal
        ([0.01, 0.01, 0.01], [False, True, True], 1.0),
        ([0.01, 0.01, 0.01], [True, True, False], None),
    ],
)
def test_server_is_calm_after_the_last_bad_answer(
    latency_s: list[float], good: list[bool], expected: float | None
) -> None:
    ended_s = np.array([101.0, 102.0, 103.0])
    assert calm_after(Outcome(Tally(), ended_s, np.array(latency_s), np.array(good)), 100.0) == expected
