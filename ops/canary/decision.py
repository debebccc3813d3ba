"""Decides whether a version should replace another, and why. This module contains only rules; it measures nothing.

Neither errors nor rankings may be worse by more than a margin. And there must be a gain: errors or rankings are better,
or the version knows more ratings. If an interval is too wide to decide, more rows are needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from model.vocabulary import counted
from ops.canary.trial import Report, Side

PROMOTE, KEEP, CANNOT_TELL = "promote", "keep", "cannot tell"
# A version may be worse by this share of the other's figure.
ERROR_MARGIN, RANKING_MARGIN = 0.01, 0.05
# With fewer rows or users, even the confidence interval is unreliable.
FEWEST_ROWS, FEWEST_USERS = 100, 30
# A version is too slow if its median is this many times the other's and also this many milliseconds larger.
_TIMES_SLOWER, _SLOWER_MS = 2.0, 5.0
BETTER, WORSE, EQUAL, OPEN = "better", "worse", "equal", "open"


@dataclass(frozen=True)
class Decision:
    """The verdict in one or two words, and its reasons; the deciding reason comes first."""

    verdict: str
    reasons: tuple[str, ...]


class _Found(NamedTuple):
    """The result of a comparison; `rows` is the number of rows with its unit."""

    outcome: str
    reason: str
    rows: str


def decide(figures: Mapping[str, Any], trial: Report | None) -> Decision:
    """Decides from the figures of `python -m train.compare` and from the report of a trial with requests."""
    found = [_errors(figures["errors"]), _rankings(figures["rankings"])]
    reasons = [one.reason for one in found]
    faults = list(_faults(trial)) if trial is not None else []
    if faults:
        return Decision(KEEP, (*faults, *reasons))
    outcomes = {one.outcome for one in found}
    if WORSE in outcomes:
        return Decision(KEEP, tuple(_first(found, WORSE)))
    if OPEN in outcomes:
        few = [one.rows for one in found if one.outcome == OPEN]
        are = "is" if len(few) == 1 and few[0].startswith("1 ") else "are"
        return Decision(f"{CANNOT_TELL}, {' and '.join(few)} {are} too few", tuple(_first(found, OPEN)))
    if BETTER in outcomes:
        return Decision(PROMOTE, tuple(_first(found, BETTER)))
    news = figures["version"]["ratings"] - figures["other"]["ratings"]
    if news > 0:
        return Decision(PROMOTE, (f"it knows {counted(news, 'more rating')}, and is not worse", *reasons))
    return Decision(KEEP, ("nothing is gained: no difference is larger than its margin", *reasons))


def _errors(figures: Mapping[str, Any] | None) -> _Found:
    """Squared errors: lower is better."""
    if figures is None or figures["rows"] < FEWEST_ROWS:
        number = figures["rows"] if figures else 0
        rows = counted(number, "row")
        return _Found(OPEN, f"errors: {rows} that neither was trained on; at least {FEWEST_ROWS} are needed", rows)
    return _judged("mean squared error", figures, 1.0, ERROR_MARGIN, "row")


def _rankings(figures: Mapping[str, Any] | None) -> _Found:
    """nDCG@10: higher is better."""
    if figures is None or figures["users"] < FEWEST_USERS:
        users = counted(figures["users"] if figures else 0, "user")
        told = f"rankings: {users} who liked anything among these rows; at least {FEWEST_USERS} are needed"
        return _Found(OPEN, told, users)
    return _judged("nDCG@10", figures, -1.0, RANKING_MARGIN, "user")


def _judged(name: str, figures: Mapping[str, Any], sign: float, margin: float, unit: str) -> _Found:
    """Judges by the interval. sign: 1 if lower is better, -1 if higher is better."""
    low, high = sorted((sign * figures["low"], sign * figures["high"]))
    allowed = margin * figures["other"]
    rows = counted(figures["rows"], unit)
    told = (
        f"{name} {figures['version']:.4f} against {figures['other']:.4f}: {figures['difference']:+.4f}, 95 % interval "
        f"{figures['low']:+.4f} to {figures['high']:+.4f}, {rows}"
    )
    if high < 0:
        return _Found(BETTER, f"better: {told}", rows)
    if high <= allowed:
        return _Found(EQUAL, f"not worse by more than {margin:.0%}: {told}", rows)
    if low > 0:
        return _Found(WORSE, f"worse: {told}", rows)
    needed = figures["rows"] * ((high - low) / 2 / max(allowed, 1e-12)) ** 2
    return _Found(OPEN, f"not clear: {told}; about {max(needed, figures['rows'] + 1):,.0f} would do", rows)


def _first(found: list[_Found], outcome: str) -> list[str]:
    return [one.reason for one in sorted(found, key=lambda one: one.outcome != outcome)]


def _faults(trial: Report) -> list[str]:
    """Reasons that forbid a promotion, no matter how good the model is."""
    faults = []
    default, canary = trial.default, trial.canary
    if _share_of_errors(canary) > _share_of_errors(default):
        told = f"{default.errors:,} of {default.requests:,} failed on version {default.version}"
        faults.append(f"it failed {canary.errors:,} of {counted(canary.requests, 'request')}; {told}")
    if default.p50_ms is None or canary.p50_ms is None:
        return faults
    if canary.p50_ms > max(_TIMES_SLOWER * default.p50_ms, default.p50_ms + _SLOWER_MS):
        faults.append(f"it is too slow: median {canary.p50_ms:.1f} ms against {default.p50_ms:.1f} ms")
    return faults


def _share_of_errors(side: Side) -> float:
    return side.errors / max(1, side.requests)
