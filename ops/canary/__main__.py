"""`python -m ops.canary --version 1.1 --share 0.1`: tries a registered version with a share of the requests.

In mode `shadow` every request is answered by the default, and a share of them by the canary too, whose answers are
compared and thrown away. In mode `canary` the canary answers its share in place of the default. The report is
printed, and written to build/VERSION/canary.json. This is a client that sends requests, not a proxy in their way.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson

from model.vocabulary import ITEM_ID, Vocabulary
from ops.canary.agreement import Agreement, agreement
from ops.canary.traffic import draw_requests, read_requests
from ops.client import Client, ClientError
from ops.command import failing_in_one_line
from ops.settings import ServerSettings, read_settings
from ops.store.archives import archive_path

CONNECTIONS = 8
_NUMBER = 2_000


class Exchange(NamedTuple):
    """One request to one version; `value` is None where there was no answer."""

    status: int
    seconds: float
    value: Any


@dataclass(frozen=True)
class Side:
    """What one version did; times in milliseconds, as this client saw them."""

    version: str
    requests: int
    errors: int
    p50_ms: float | None
    p99_ms: float | None


@dataclass(frozen=True)
class Report:
    """Both sides, and in mode `shadow` how far their answers agree."""

    mode: str
    share: float
    default: Side
    canary: Side
    agreement: Agreement | None

    def __str__(self) -> str:
        lines = [f"{'version':22}{'requests':>10}{'errors':>8}{'p50 ms':>9}{'p99 ms':>9}"]
        for role, side in (("default", self.default), ("canary", self.canary)):
            times = "".join(f"{'-' if value is None else f'{value:.1f}':>9}" for value in (side.p50_ms, side.p99_ms))
            lines.append(f"{f'{side.version} ({role})':22}{side.requests:>10}{side.errors:>8}{times}")
        for name, value in asdict(self.agreement).items() if self.agreement else ():
            shown = "-" if value is None else f"{value:.4g}"
            lines.append(f"{'compared ' if name == 'requests' else ''}{name.replace('_', ' ')}: {shown}")
        return "\n".join(lines)


def try_version(
    client: Client, version: str, bodies: Sequence[bytes], share: float, mode: str, seed: int = 0
) -> Report:
    """Sends every body once, over a few connections, and reports.

    Raises:
        ClientError: the version is not registered, or is the default itself.
    """
    default = _default_beside(client, version)
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
        agreement(both, _item_ids(client, version)) if mode == "shadow" else None,
    )


def _default_beside(client: Client, version: str) -> str | None:
    """The default version; raises ClientError where `version` is not registered beside it."""
    default = next((one["version"] for one in client.versions() if one["default"]), None)
    if version == default or version not in [one["version"] for one in client.versions()]:
        raise ClientError(f"version {version}: expected one that is registered beside the default, {default}")
    return default


def _item_ids(client: Client, version: str) -> tuple[str, str]:
    """What the default and this version call a movie's id."""
    return Vocabulary.of(client.describe()).item_id, Vocabulary.of(client.describe(version)).item_id


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


def main(arguments: list[str] | None = None) -> None:
    """Tries a version."""
    parser = argparse.ArgumentParser(prog="python -m ops.canary", description=__doc__.splitlines()[0])
    parser.add_argument("--version", required=True)
    parser.add_argument("--share", type=float, default=0.1, help="of the requests, 0 to 1")
    parser.add_argument("--mode", choices=("shadow", "canary"), default="shadow")
    parser.add_argument("--requests", type=Path, help="JSON lines, a body each; drawn from the version where not given")
    parser.add_argument("--config", type=Path, default=Path("config.properties"))
    options = parser.parse_args(arguments)
    with failing_in_one_line(
        "canary", (ClientError, ValueError, OSError), "canary: interrupted; no report was written"
    ):
        if not 0 < options.share <= 1:
            raise ValueError(f"share: got {options.share:g}, allowed: more than 0, at most 1")
        settings = read_settings(options.config, Path.cwd())
        client = Client(settings)
        _default_beside(client, options.version)
        bodies = read_requests(options.requests) if options.requests else _drawn(client, settings, options.version)
        report = try_version(client, options.version, bodies, options.share, options.mode)
        target = Path("build") / options.version / "canary.json"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(asdict(report), indent=1) + "\n", encoding="utf-8")
        print(f"{report}\nwrote {target}")


def _drawn(client: Client, settings: ServerSettings, version: str) -> list[bytes]:
    """Requests for users and movies of the version; two versions that say other words share `item_id`."""
    from ops.versions.reference import Reference  # torch, which recorded requests do not need

    artifact = Reference(archive_path(settings.model_store, version), version).artifact
    names = set(_item_ids(client, version))
    return draw_requests(artifact, _NUMBER, names.pop() if len(names) == 1 else ITEM_ID)


if __name__ == "__main__":
    main()
