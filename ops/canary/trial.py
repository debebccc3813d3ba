"""Sends requests to two versions, on a server or in this process. Reports times, errors, and agreement of answers."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import orjson

from model.vocabulary import Vocabulary
from ops.canary.agreement import Agreement, agreement
from ops.client import Client, ClientError

CONNECTIONS = 8


class Exchange(NamedTuple):
    """One request to one version; `value` is None if there was no answer."""

    status: int
    seconds: float
    value: Any


@dataclass(frozen=True)
class Side:
    """The results of one version; times in milliseconds, measured by this client."""

    version: str
    requests: int
    errors: int
    p50_ms: float | None
    p99_ms: float | None


@dataclass(frozen=True)
class Report:
    """The results of both versions, and in the modes `shadow` and `in process` the agreement of their answers."""

    mode: str
    share: float
    default: Side
    canary: Side
    agreement: Agreement | None

    def __str__(self) -> str:
        lines = [f"{'version':22}{'requests':>10}{'errors':>8}{'p50 ms':>9}{'p99 ms':>9}"]
        for role, side in (("default", self.default), ("canary", self.canary)):
            times = "".join(f"{'-' if value is None else f'{value:.1f}':>9}" for value in (side.p50_ms, side.p99_ms))
            shown = side.version if self.mode == "in process" else f"{side.version} ({role})"
            lines.append(f"{shown:22}{side.requests:>10}{side.errors:>8}{times}")
        for name, value in asdict(self.agreement).items() if self.agreement else ():
            shown = "-" if value is None else f"{value:.4g}"
            lines.append(f"{'compared ' if name == 'requests' else ''}{name.replace('_', ' ')}: {shown}")
        return "\n".join(lines)


def try_version(
    client: Client,
    version: str,
    bodies: Sequence[bytes],
    item_ids: tuple[str, str],
    share: float,
    mode: str,
    seed: int = 0,
) -> Report:
    """Sends every body once, over a few connections, and reports.

    item_ids: the fields with an item's id, of the default and of the version.

    Raises:
        ClientError: the version is not registered, or it is the default.
    """
    default = next((one["version"] for one in client.versions() if one["default"]), None)
    if version == default or version not in [one["version"] for one in client.versions()]:
        raise ClientError(f"version {version}: expected a registered version other than the default, {default}")
    dice = random.Random(seed)
    chosen = [dice.random() < share for _ in bodies]

    def send(body: bytes, is_chosen: bool) -> tuple[Exchange | None, Exchange | None]:
        by_default = None if is_chosen and mode == "canary" else _ask(client, body, None)
        return by_default, _ask(client, body, version) if is_chosen else None

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        exchanges = list(pool.map(send, bodies, chosen))
    both = [(one.value, other.value) for one, other in exchanges if one is not None and other is not None]
    return Report(
        mode,
        share,
        _side(str(default), [one for one, _ in exchanges if one is not None]),
        _side(version, [other for _, other in exchanges if other is not None]),
        agreement(both, item_ids) if mode == "shadow" else None,
    )


def item_ids_of(client: Client, version: str) -> tuple[str, str]:
    """The fields with an item's id, of the default and of this version.

    Raises:
        ClientError: the version is not registered.
    """
    return Vocabulary.of(client.describe()).item_id, Vocabulary.of(client.describe(version)).item_id


# A function from a body to the status and the parsed answer.
Answers = Callable[[bytes], tuple[int, Any]]


def try_in_process(
    version: str, answers: Answers, other: str, others: Answers, bodies: Sequence[bytes], item_ids: tuple[str, str]
) -> Report:
    """Asks both versions in turn, one request at a time, so that other load on this machine slows both equally.

    item_ids: the fields with an item's id, of the other version and of this one.
    """
    exchanges = [(_timed(others, body), _timed(answers, body)) for body in bodies]
    default, canary = zip(*exchanges, strict=True)
    both = [(one.value, two.value) for one, two in exchanges]
    return Report("in process", 1.0, _side(other, default), _side(version, canary), agreement(both, item_ids))


def _timed(answers: Answers, body: bytes) -> Exchange:
    started = time.perf_counter()
    status, value = answers(body)
    return Exchange(status, time.perf_counter() - started, value)


def _ask(client: Client, body: bytes, version: str | None) -> Exchange:
    started = time.perf_counter()
    try:
        answer = client.answer(body, version)
        return Exchange(answer.status, time.perf_counter() - started, orjson.loads(answer.body))
    except (ClientError, orjson.JSONDecodeError):
        return Exchange(0, time.perf_counter() - started, None)


def _side(version: str, exchanges: Sequence[Exchange]) -> Side:
    times = [exchange.seconds * 1e3 for exchange in exchanges]
    p50_ms, p99_ms = np.percentile(times, [50, 99]).tolist() if times else (None, None)
    return Side(version, len(exchanges), sum(exchange.status != 200 for exchange in exchanges), p50_ms, p99_ms)
