"""Stores the finished rounds of the last run of all servers, so that an interrupted run can resume."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bench.load import Load
from bench.machine import ROOT
from bench.open_loop import OpenLoad
from bench.peers.measure import Round
from model.files import atomic_write

KEPT = ROOT / "build" / "bench" / "peers-rounds.json"
Rounds = list[dict[str, Round]]


def save_rounds(rounds: Rounds, run: Mapping[str, object]) -> None:
    """Writes all finished rounds.

    run: the facts that must be equal in a later run that adds rounds: model, commit, seconds.
    """
    saved = [{name: asdict(one) for name, one in found.items()} for found in rounds]
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(KEPT) as partial:
        partial.write_text(json.dumps({"run": dict(run), "rounds": saved}))


def load_rounds(names: Sequence[str], run: Mapping[str, object]) -> Rounds:
    """The rounds that the last run finished; none if there was no run.

    Raises:
        ValueError: that run had other servers, or another model, commit or length of a load.
    """
    if not KEPT.exists():
        return []
    saved = json.loads(KEPT.read_text())
    if saved["run"] != run or any(set(found) != set(names) for found in saved["rounds"]):
        raise ValueError(f"{KEPT}: it has rounds of {saved['run']}, but this run is {dict(run)}; run without --resume")
    return [{name: _round(found[name]) for name in names} for found in saved["rounds"]]


def _round(saved: dict[str, Any]) -> Round:
    loads = {key: Load(**load) for key, load in saved["loads"].items()}
    open_loads = {key: OpenLoad(**load) for key, load in saved["open_loads"].items()}
    return Round(**{**saved, "loads": loads, "open_loads": open_loads})
