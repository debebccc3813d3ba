"""Measures what clients notice when versions are registered, promoted and removed under constant load.

An open loop asks the default version at half of the best rate of a closed loop. Meanwhile, two versions take turns as
the default, and a third is registered and removed. Every answer must equal the in-process answer of the version that it
names, and no request may be lost.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import orjson

from bench.load import run_wrk
from bench.open_loop import Answers, drive
from bench.workloads import PATH, workloads
from model.archive import VERSION_HEADER
from model.artifact import Artifact
from ops.client import Client
from ops.settings import ServerSettings
from ops.store.archives import archive_path
from ops.versions.compare import find_difference
from ops.versions.reference import InProcess, Reference
from ops.versions.rollout import Rollout
from ops.versions.smoke import asks

_PAIRS = 2_000
_MAXIMUM_S = 3
_SEGMENT_S = 5.0


class Reign(NamedTuple):
    """`version` was certainly the default between these times, on the clock of time.monotonic()."""

    version: str
    start: float
    end: float


@dataclass
class Outcome:
    """The effects on clients.

    lost: requests without an answer.
    refused: statuses other than 200, and how often each occurred.
    wrong: answers that differ from those of the version they name, or that name a version that was not the default
        during the request.
    """

    rate_per_s: float
    promotions: int
    seconds: float = 0.0
    sent: int = 0
    lost: int = 0
    refused: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    answered_by: Counter[str] = field(default_factory=Counter)
    latencies_s: list[np.ndarray] = field(default_factory=list)

    def __str__(self) -> str:
        p50, p99, most = np.percentile(np.concatenate(self.latencies_s), [50, 99, 100]) * 1e3
        return (
            f"{self.promotions} promotions and one version registered and removed in {self.seconds:.0f} s at "
            f"{self.rate_per_s:,.0f} requests a second: {self.sent:,} sent, {self.lost} lost, "
            f"{self.refused.total()} refused, {len(self.wrong)} wrong; answered by {dict(self.answered_by)}; "
            f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, longest {most:.0f} ms"
        )


def change_under_load(
    settings: ServerSettings, pair: tuple[str, str], third: str, promotions: int = 20, pause_s: float = 0.2
) -> Outcome:
    """Promotes the versions of `pair` in turn, and registers and removes `third`, under load.

    Both versions of `pair` are registered, and the first is the default. `third` is packed, and not registered.
    """
    references = {name: Reference(archive_path(settings.model_store, name), name) for name in (*pair, third)}
    bodies = _bodies(references[pair[0]].artifact)
    expected = {name: [reference.answer(body) for body in bodies] for name, reference in references.items()}
    url = settings.inference + PATH
    rate = run_wrk(url, bodies, 64, _MAXIMUM_S).answered_per_s / 2
    outcome = Outcome(rate, promotions)
    reigns = [Reign(pair[0], time.monotonic(), np.inf)]
    rollout = Rollout(Client(settings), settings)

    def change() -> None:
        rollout.register(third)
        for number in range(promotions):
            version = pair[(number + 1) % 2]
            reigns[-1] = reigns[-1]._replace(end=time.monotonic())
            rollout.promote(version)
            reigns.append(Reign(version, time.monotonic(), np.inf))
            time.sleep(pause_s)
        rollout.unregister(third)

    def send(seed: int) -> None:
        answers = drive(url, bodies, rate, _SEGMENT_S, seed=seed, keep=True)
        _judge(answers, expected, tuple(reigns), outcome)

    _while_sending(send, change)
    return outcome


def _while_sending(send: Callable[[int], None], change: Callable[[], None]) -> None:
    """Sends segments of load, from before `change` begins until after it ends.

    Raises:
        Exception: `send` or `change` raised it.
    """
    over = threading.Event()

    def send_all() -> None:
        for seed in itertools.count():
            send(seed)
            if over.is_set():
                return

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send_all)
        try:
            time.sleep(1)
            change()
        finally:
            over.set()
        sending.result()


def _judge(
    answers: Answers, expected: Mapping[str, Sequence[InProcess]], reigns: Sequence[Reign], outcome: Outcome
) -> None:
    seen: set[tuple[int, bytes, bytes]] = set()
    ended = answers.started + answers.intended_s + answers.latency_s
    sent = answers.started + answers.sent_s
    outcome.seconds += float(answers.intended_s[-1])
    outcome.sent += len(answers.status)
    outcome.latencies_s.append(answers.latency_s)
    for place, (request, status) in enumerate(zip(answers.request.tolist(), answers.status.tolist(), strict=True)):
        if status != 200:
            outcome.lost += status == 0
            outcome.refused.update([status] if status else [])
            continue
        head, _, body = answers.responses[place].partition(b"\r\n\r\n")
        name = _version_header(head)
        version = name.decode()
        outcome.answered_by[version] += 1
        if any(one.start < sent[place] and ended[place] < one.end and one.version != version for one in reigns):
            outcome.wrong.append(f"request {request}: answered by {version}, which was not the default version")
        if (request, name, body) not in seen:
            seen.add((request, name, body))
            difference = find_difference(orjson.loads(body), expected[version][request].value, "movie_id")
            if difference is not None:
                outcome.wrong.append(f"request {request} to version {version}: {difference}")


def _version_header(head: bytes) -> bytes:
    start = head.lower().index(VERSION_HEADER.lower().encode() + b":") + len(VERSION_HEADER) + 1
    return head[start:].split(b"\r\n", 1)[0].strip()


def _bodies(artifact: Artifact) -> list[bytes]:
    """Pairs, and one request of each other kind after every hundred of them."""
    others = [body for _, body in asks(artifact)]
    bodies = workloads(artifact)["pair"].bodies[:_PAIRS]
    for place in range(0, len(bodies), 100):
        bodies[place : place + len(others)] = others
    return bodies
