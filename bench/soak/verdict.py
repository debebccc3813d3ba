"""Whether a soak found the server as it has to be; `make soak` fails where it did not."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from bench.soak.faults import Survived
from bench.soak.phases import Endurance, Overload

# A leak of 20 bytes for each request.
GROWTH_MIB_PER_MILLION = 20.0
# Fewer requests tell nothing of growth: the JVM's heap has not been filled once.
ENOUGH_REQUESTS = 1_000_000

BOUNDS = (
    "**Bounds**, beyond which the command fails: no answer wrong and no request without one for 10 s, in any stretch; "
    "none lost in the endurance stretch; answering normally within 10 s of the overload, and rightly again within the "
    f"load of each fault; from {ENOUGH_REQUESTS:,} requests on, {GROWTH_MIB_PER_MILLION:.0f} MiB more for each further "
    "million, of the JVM and of the largest worker."
)


def beyond_bounds(loaded: Overload, endured: Endurance, survived: Sequence[Survived]) -> list[str]:
    """What was not as it has to be, a line each."""
    return [*_tallies(loaded, endured, survived), *_times(loaded, survived), *_growth(endured)]


def tell(reasons: Sequence[str]) -> int:
    """Prints what was beyond its bound; returns the command's exit status."""
    for reason in reasons:
        print(f"soak: {reason}", file=sys.stderr)
    return 1 if reasons else 0


def _tallies(loaded: Overload, endured: Endurance, survived: Sequence[Survived]) -> Iterator[str]:
    stretches = [("overload", loaded.tally), ("endurance", endured.tally), *((one.name, one.tally) for one in survived)]
    for name, tally in stretches:
        if tally.wrong:
            yield f"{name}: {tally.wrong:,} wrong answers"
        if tally.hung:
            yield f"{name}: {tally.hung:,} requests without an answer for 10 s"
    if endured.tally.lost:
        yield f"endurance: {endured.tally.lost:,} requests lost"


def _times(loaded: Overload, survived: Sequence[Survived]) -> Iterator[str]:
    if loaded.calm_after_s is None:
        yield "overload: not normal again within 10 s"
    yield from (f"{one.name}: not right again within the load" for one in survived if one.again_s is None)


def _growth(endured: Endurance) -> Iterator[str]:
    if endured.tally.answered < ENOUGH_REQUESTS:
        return
    for name, growth in zip(("the JVM", "the largest worker"), endured.growth_mib_per_million, strict=True):
        if not growth <= GROWTH_MIB_PER_MILLION:
            yield f"endurance: {name} grew by {growth:+.1f} MiB for a million requests"
