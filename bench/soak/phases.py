"""The stretches of a soak: the maximum rate, a long overload, and millions of requests."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench.load import run_wrk
from bench.soak.memory import MemoryLog, growth_per_million
from bench.soak.traffic import Outcome, Tally, Traffic

# The most requests in flight during the overload: more than the queue (1,000) and the batches hold, so that the server
# must refuse some.
OVERLOAD_CONNECTIONS = 2_000
# A client drops a request if all its connections stay busy this long. A longer queue in the client would hide the
# server's queue, and the client would give up late requests while the server still works on them.
_PATIENCE_S = 0.1
# The length of one call of the generator. Between two calls there is a pause of about a second, to count the outcomes.
_SLICE_S = 15.0
# During the overload, only one in this many answers is checked, to keep that pause short.
_CHECK_EVERY = 50
# After an overload, the server counts as normal again if no request takes longer than this at this low rate.
_CALM_RATE_PER_S, _CALM_S, _CALM_LATENCY_S = 200.0, 10.0, 0.1

Step = Callable[[float], object]
"""Takes the number of seconds that have just passed."""


@dataclass(frozen=True)
class Overload:
    """Twice the maximum rate for `seconds`. MiB are of (front end, largest worker)."""

    offered_per_s: float
    seconds: float
    tally: Tally
    p50_s: float
    longest_s: float
    calm_after_s: float | None
    """Seconds from the end of the overload until the server is normal again; None if it was not within 10 s."""
    before_mib: tuple[float, float]
    halfway_mib: tuple[float, float]
    end_mib: tuple[float, float]
    after_mib: tuple[float, float]


@dataclass(frozen=True)
class Endurance:
    """Many requests at a sustainable rate, with every answer checked."""

    rate_per_s: float
    seconds: float
    tally: Tally
    before_mib: tuple[float, float]
    halfway_mib: tuple[float, float]
    end_mib: tuple[float, float]
    growth_mib_per_million: tuple[float, float]
    """The growth of (front end, largest worker) over the later half."""


def maximum(traffic: Traffic, seconds: int, step: Step) -> float:
    """The best rate of closed loops over 64 and 256 connections, in answers per second, after a warm-up."""
    rates = []
    for connections in (64, 64, 256):
        rates.append(run_wrk(traffic.url, traffic.bodies, connections, seconds).answered_per_s)
        step(seconds)
    return max(rates[1:])


def overload(traffic: Traffic, memory: MemoryLog, rate_per_s: float, seconds: float, step: Step) -> Overload:
    """Offers `rate_per_s`, more than the server can answer, in an open loop; then a low rate, to see it recover."""
    start = time.monotonic()
    tally = Tally()
    latencies = []
    longest = 0.0
    left = seconds
    while left > 0:
        stretch = min(_SLICE_S, left)
        outcome = traffic.send(rate_per_s, stretch, OVERLOAD_CONNECTIONS, _CHECK_EVERY, int(left), _PATIENCE_S)
        tally += outcome.tally
        latencies.append(np.median(outcome.latency_s[outcome.good]) if outcome.good.any() else np.nan)
        longest = max(longest, float(np.max(outcome.latency_s[outcome.good], initial=0.0)))
        left -= stretch
        step(stretch)
    end = time.monotonic()
    calm_after_s = calm_after(traffic.send(_CALM_RATE_PER_S, min(_CALM_S, seconds)), end)
    step(min(_CALM_S, seconds))
    return Overload(
        offered_per_s=rate_per_s,
        seconds=end - start,
        tally=tally,
        p50_s=float(np.nanmedian(latencies)),
        longest_s=longest,
        calm_after_s=calm_after_s,
        before_mib=memory.at(start),
        halfway_mib=memory.at((start + end) / 2),
        end_mib=memory.at(end),
        after_mib=memory.at(time.monotonic()),
    )


def calm_after(outcome: Outcome, end: float) -> float | None:
    """Seconds from `end` until all requests at the low rate get right answers quickly; None if they never did."""
    bad = outcome.ended_s[~outcome.good | (outcome.latency_s > _CALM_LATENCY_S)]
    if not len(bad):
        return 0.0
    return float(bad.max()) - end if bad.max() < outcome.ended_s.max() else None


def endure(traffic: Traffic, memory: MemoryLog, rate_per_s: float, requests: int, step: Step) -> Endurance:
    """Sends until `requests` requests were answered, and checks every answer."""
    start = time.monotonic()
    tally = Tally()
    while tally.answered < requests:
        stretch = min(_SLICE_S, max(1.0, (requests - tally.answered) / rate_per_s))
        tally += traffic.send(rate_per_s, stretch, seed=tally.sent).tally
        step(stretch)
    end = time.monotonic()
    return Endurance(
        rate_per_s=rate_per_s,
        seconds=end - start,
        tally=tally,
        before_mib=memory.at(start),
        halfway_mib=memory.at((start + end) / 2),
        end_mib=memory.at(end),
        growth_mib_per_million=growth_per_million(memory.between(start, end), np.concatenate(traffic.done_s)),
    )
