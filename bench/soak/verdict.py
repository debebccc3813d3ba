"""The bounds of a soak: `make soak` fails if a figure exceeds its bound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.soak.faults import Survived
from bench.soak.phases import Endurance, Overload

# This is a leak of about 20 bytes for each request.
GROWTH_MIB_PER_MILLION = 20.0
# With fewer requests, growth means nothing: the JVM has not filled its heap once.
ENOUGH_REQUESTS = 1_000_000

BOUNDS = (
    "**Bounds**. The command fails if an answer is wrong, if a request waits for 10 s without an answer, or if the "
    "endurance stretch loses a request. It also fails if the server does not answer normally within 10 s of the "
    "overload, or not rightly again within the load after a fault. From "
    f"{ENOUGH_REQUESTS:,} requests on, the JVM and the largest worker may grow by at most "
    f"{GROWTH_MIB_PER_MILLION:.0f} MiB for each further million."
)


def failures(loaded: Overload, endured: Endurance, survived: Sequence[Survived]) -> list[str]:
    """One line for each bound that was exceeded."""
    return [*_tallies(loaded, endured, survived), *_times(loaded, survived), *_growth(endured)]


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
