"""Decide whether a refresh makes a version, and how: by an update, which takes seconds, or by a training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from model.vocabulary import counted
from ops.canary.decision import FEWEST_ROWS

UPDATE, TRAIN, WAIT = "update", "train", "wait"
# Share of the new ratings, the newest ones, on which a version is measured before they are added to it.
HELD_OUT = 0.2
# With fewer new ratings than this, no verdict is possible.
FEWEST_NEW = math.ceil(FEWEST_ROWS / HELD_OUT)


@dataclass(frozen=True)
class Limits:
    """When to train. `drift`: train if a larger share of the ratings came after the last training."""

    drift: float = 0.1
    days: float = 7.0


class Way(NamedTuple):
    """`name` is update, train or wait; `held_out` as in `Journal`."""

    name: str
    reason: str
    held_out: float = 0.0


def choose_way(news: Mapping[str, Any], limits: Limits, today: datetime | None = None) -> Way:
    """Chooses the way from the output of `python -m train.update.news`."""
    new, trained = news["new"], news["trained"]
    if new < FEWEST_NEW:
        return Way(WAIT, f"{counted(new, 'new rating')}; a verdict needs {FEWEST_NEW}, so more must come first")
    held_out = HELD_OUT * new / (news["held"] + new) if news["timed"] else 0.0
    share = (news["held"] + new - trained) / max(1, trained)
    days = _days_since(news["trained_at"], today or datetime.now(UTC))
    told = counted(new, "new rating")
    if not news["can_update"]:
        return Way(TRAIN, f"{told}, which the network cannot take without a training", held_out)
    if share > limits.drift:
        return Way(TRAIN, f"{told}; {share:.1%} came since the last training, more than {limits.drift:.1%}", held_out)
    if days is not None and days > limits.days:
        return Way(TRAIN, f"{told}; the last training is {days:.0f} days old, more than {limits.days:g}", held_out)
    return Way(UPDATE, f"{told}; {share:.1%} came since the last training", HELD_OUT)


def _days_since(time: str | None, today: datetime) -> float | None:
    return None if time is None else (today - datetime.fromisoformat(time)).total_seconds() / 86_400
