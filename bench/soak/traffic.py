"""Load whose every request is accounted for: answered rightly, wrongly, refused, or lost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import orjson

from bench.open_loop import Answers, drive
from bench.workloads import workloads
from model.artifact import load_artifact
from model.asks import PairAnswer, PairAsk
from model.predictor import Predictor

_TIMEOUT_S = 10.0
_TOLERANCE = 2e-5
_VERSION = re.compile(rb"\r\nx-model-version: ([^\r]+)\r\n", re.IGNORECASE)


@dataclass
class Tally:
    """What became of requests. `failed`: an error other than 503; `hung`: sent, and no answer within 10 s;
    `broken`: the connection ended; `unsent`: for 10 s every connection was busy; `wrong`: of `checked` answers."""

    sent: int = 0
    answered: int = 0
    refused: int = 0
    failed: int = 0
    hung: int = 0
    broken: int = 0
    unsent: int = 0
    checked: int = 0
    wrong: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(**{name: value + getattr(other, name) for name, value in vars(self).items()})

    @property
    def lost(self) -> int:
        """Requests that got no answer, or another than the one asked for."""
        return self.sent - self.answered


@dataclass
class Outcome:
    """One stretch of load: each request's fate, on the monotonic clock, in the order of sending."""

    tally: Tally
    ended_s: np.ndarray
    latency_s: np.ndarray
    good: np.ndarray
    """Whether it was answered and, where checked, rightly."""


@dataclass
class Traffic:
    """Requests for one pair each; `done_s` gathers when each answer came, for the picture."""

    url: str
    bodies: list[bytes]
    ratings: dict[str, np.ndarray]
    done_s: list[np.ndarray] = field(default_factory=list)

    @property
    def answered(self) -> int:
        """How many answers came so far."""
        return sum(map(len, self.done_s))

    def send(
        self, rate_per_s: float, seconds: float, connections: int = 64, check_every: int = 1, seed: int = 0
    ) -> Outcome:
        """Sends requests at this mean rate, open loop, and checks every so many answers."""
        answers = drive(
            self.url, self.bodies, rate_per_s, seconds, connections, seed=seed, timeout_s=_TIMEOUT_S, keep=True
        )
        status, unsent = answers.status, np.isnan(answers.sent_s)
        answered = np.flatnonzero(status == 200)
        wrong = self._wrong(answers, answered[::check_every])
        no_answer = (status == 0) & ~unsent
        hung = no_answer & (answers.latency_s >= _TIMEOUT_S)
        tally = Tally(
            len(status),
            len(answered),
            int((status == 503).sum()),
            int(((status >= 400) & (status != 503)).sum()),
            int(hung.sum()),
            int((no_answer & ~hung).sum()),
            int(unsent.sum()),
            len(answered[::check_every]),
            len(wrong),
        )
        ended_s = answers.started + answers.intended_s + answers.latency_s
        good = status == 200
        good[wrong] = False
        self.done_s.append(np.sort(ended_s[answered]))
        return Outcome(tally, ended_s, answers.latency_s, good)

    def _wrong(self, answers: Answers, places: np.ndarray) -> np.ndarray:
        """Which of the answers at `places` do not hold the rating of the version that they say they come from."""
        found = np.empty(len(places))
        expected = np.empty(len(places))
        for row, place in enumerate(places.tolist()):
            head, _, body = answers.responses[place].partition(b"\r\n\r\n")
            named = _VERSION.search(head + b"\r\n")
            version = named[1].decode() if named else "no version is named"
            ratings = self.ratings.get(version)
            expected[row] = np.nan if ratings is None else ratings[answers.request[place]]
            found[row] = orjson.loads(body).get("rating", np.nan)
        return places[~(np.abs(found - expected) < _TOLERANCE)]


def make_traffic(url: str, artifacts: Mapping[str, Path]) -> Traffic:
    """Requests of the first artifact's ids, to be answered by any of the versions."""
    loaded = {version: load_artifact(path) for version, path in artifacts.items()}
    workload = workloads(next(iter(loaded.values())))["pair"]
    asks = [PairAsk(**orjson.loads(body)) for body in workload.bodies]
    ratings = {}
    for version, artifact in loaded.items():
        answers = Predictor(artifact).answer(asks)
        ratings[version] = np.array([answer.rating for answer in answers if isinstance(answer, PairAnswer)])
    return Traffic(url + workload.path, workload.bodies, ratings)
