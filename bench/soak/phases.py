"""The stretches of a soak: the most it answers, twice as much for long, and millions of requests."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench.load import run_wrk
from bench.soak.memory import MemoryLog, growth_per_million
from bench.soak.traffic import Outcome, Tally, Traffic

# In flight at once while overloaded: more than queue (1,000) and batches hold, so that the server has to refuse.
OVERLOAD_CONNECTIONS = 2_000
# A client with all its connections busy for so long turns requests away itself: a longer queue in the client would hide
# the server's, and what leaves it late would be given up while the server still works on it.
_PATIENCE_S = 0.1
# One call of the generator; between two there is a pause of the second or so that it takes to count.
_SLICE_S = 15.0
# Of an overload's answers, one in so many is checked, to keep that pause short.
_CHECK_EVERY = 50
# "Normally" after an overload: at this gentle rate, with no request that takes longer.
_CALM_RATE_PER_S, _CALM_S, _CALM_LATENCY_S = 200.0, 10.0, 0.1

Step = Callable[[float], object]
"""Told how many seconds have just been spent."""


@dataclass(frozen=True)
class Overload:
    """Twice the most for so many seconds. MiB are of (front end, largest worker)."""

    offered_per_s: float
    seconds: float
    tally: Tally
    p50_s: float
    longest_s: float
    calm_after_s: float | None
    """From the end of the overload until requests are answered normally; None where they were not within 10 s."""
    before_mib: tuple[float, float]
    halfway_mib: tuple[float, float]
    end_mib: tuple[float, float]
    after_mib: tuple[float, float]


@dataclass(frozen=True)
class Endurance:
    """Many requests at a rate that can be kept; every answer was checked."""

    rate_per_s: float
    seconds: float
    tally: Tally
    before_mib: tuple[float, float]
    halfway_mib: tuple[float, float]
    end_mib: tuple[float, float]
    growth_mib_per_million: tuple[float, float]
    """Of (front end, largest worker), over the later half."""


def maximum(traffic: Traffic, seconds: float, step: Step) -> float:
    """The most answers a second of a closed loop, over 64 connections and over 256, after a warm-up."""
    rates = []
    for connections in (64, 64, 256):
        rates.append(run_wrk(traffic.url, traffic.bodies, connections, seconds).answered_per_s)
        step(seconds)
    return max(rates[1:])


def overload(traffic: Traffic, memory: MemoryLog, rate_per_s: float, seconds: float, step: Step) -> Overload:
    """Offers `rate_per_s`, which is more than can be answered, in an open loop, and then a little."""
    start = time.monotonic()
    tally, latencies, left, longest = Tally(), [], seconds, 0.0
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
        rate_per_s,
        end - start,
        tally,
        float(np.nanmedian(latencies)),
        longest,
        calm_after_s,
        memory.at(start),
        memory.at((start + end) / 2),
        memory.at(end),
        memory.at(time.monotonic()),
    )


def calm_after(outcome: Outcome, end: float) -> float | None:
    """Seconds from `end` until a little load is answered rightly and quickly; None where it never was."""
    bad = outcome.ended_s[~outcome.good | (outcome.latency_s > _CALM_LATENCY_S)]
    if not len(bad):
        return 0.0
    return float(bad.max()) - end if bad.max() < outcome.ended_s.max() else None


def endure(traffic: Traffic, memory: MemoryLog, rate_per_s: float, requests: int, step: Step) -> Endurance:
    """Sends until so many requests were answered, and checks every answer."""
    start = time.monotonic()
    tally = Tally()
    while tally.answered < requests:
        stretch = min(_SLICE_S, max(1.0, (requests - tally.answered) / rate_per_s))
        tally += traffic.send(rate_per_s, stretch, seed=tally.sent).tally
        step(stretch)
    end = time.monotonic()
    return Endurance(
        rate_per_s,
        end - start,
        tally,
        memory.at(start),
        memory.at((start + end) / 2),
        memory.at(end),
        growth_per_million(memory.between(start, end), np.concatenate(traffic.done_s)),
    )
