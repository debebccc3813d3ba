"""Load that records the outcome of every request: right answer, wrong answer, refused, or lost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import orjson

from bench.open_loop import Answers, drive
from bench.workloads import PATH, workloads
from model.artifact import load_artifact
from model.asks import PairAnswer, PairAsk
from model.predictor import Predictor

_TIMEOUT_S = 10.0
_TOLERANCE = 2e-5
_VERSION = re.compile(rb"\r\nx-model-version: ([^\r]+)\r\n", re.IGNORECASE)


@dataclass
class Tally:
    """Counts the outcomes of the requests.

    refused: answered with a 503.
    failed: answered with another error.
    hung: sent, and not answered within 10 s.
    broken: the connection ended.
    unsent: not sent, because every connection was busy.
    wrong: of the `checked` answers, those with another rating than the in-process one.
    """

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
        """Requests that did not get a rating."""
        return self.sent - self.answered


@dataclass
class Outcome:
    """One stretch of load: the outcome of each request in the order of sending, with times on the monotonic clock."""

    tally: Tally
    ended_s: np.ndarray
    latency_s: np.ndarray
    good: np.ndarray
    """Whether the request was answered, and the answer was right if it was checked."""


@dataclass
class Traffic:
    """Requests for one pair each; `done_s` collects the times of the answers for the picture."""

    url: str
    bodies: list[bytes]
    ratings: dict[str, np.ndarray]
    done_s: list[np.ndarray] = field(default_factory=list)

    def send(
        self,
        rate_per_s: float,
        seconds: float,
        connections: int = 64,
        check_every: int = 1,
        seed: int = 0,
        patience_s: float = _TIMEOUT_S,
    ) -> Outcome:
        """Sends requests in an open loop at this mean rate, and checks one answer in `check_every`.

        patience_s: a request is not sent if every connection stays busy for this long.
        """
        answers = drive(
            self.url,
            self.bodies,
            rate_per_s,
            seconds,
            connections,
            seed=seed,
            timeout_s=_TIMEOUT_S,
            keep=True,
            patience_s=patience_s,
        )
        status = answers.status
        unsent = np.isnan(answers.sent_s)
        answered = np.flatnonzero(status == 200)
        checked = answered[::check_every]
        wrong = self._wrong(answers, checked)
        no_answer = (status == 0) & ~unsent
        hung = no_answer & (answers.latency_s >= _TIMEOUT_S)
        tally = Tally(
            sent=len(status),
            answered=len(answered),
            refused=int((status == 503).sum()),
            failed=int(((status >= 400) & (status != 503)).sum()),
            hung=int(hung.sum()),
            broken=int((no_answer & ~hung).sum()),
            unsent=int(unsent.sum()),
            checked=len(checked),
            wrong=len(wrong),
        )
        ended_s = answers.started + answers.intended_s + answers.latency_s
        good = status == 200
        good[wrong] = False
        self.done_s.append(np.sort(ended_s[answered]))
        return Outcome(tally, ended_s, answers.latency_s, good)

    def _wrong(self, answers: Answers, places: np.ndarray) -> np.ndarray:
        """The `places` whose answer differs from the rating of the version that it names."""
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
    """Requests with the first artifact's ids; any of the versions may answer them."""
    loaded = {version: load_artifact(path) for version, path in artifacts.items()}
    bodies = workloads(next(iter(loaded.values())))["pair"].bodies
    asks = [PairAsk(**orjson.loads(body)) for body in bodies]
    ratings = {}
    for version, artifact in loaded.items():
        answers = Predictor(artifact).answer(asks)
        ratings[version] = np.array([answer.rating for answer in answers if isinstance(answer, PairAnswer)])
    return Traffic(url + PATH, bodies, ratings)
