"""The rounds of the last run, finished one by one, so that an interrupted run can go on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from bench.load import Load
from bench.open_loop import OpenLoad
from bench.peers.measure import Round
from bench.peers.processes import ROOT

KEPT = ROOT / "build" / "bench" / "peers-rounds.json"
Rounds = list[dict[str, Round]]


def keep(rounds: Rounds, seconds: int) -> None:
    """Writes all finished rounds, whose loads took so long."""
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    told = [{name: asdict(one) for name, one in found.items()} for found in rounds]
    KEPT.write_text(json.dumps({"seconds": seconds, "rounds": told}))


def kept(names: Sequence[str], seconds: int) -> Rounds:
    """The rounds that the last run finished; none if there was no run.

    Raises:
        ValueError: that run had other servers, or loads of another length.
    """
    if not KEPT.exists():
        return []
    told = json.loads(KEPT.read_text())
    if told["seconds"] != seconds or any(set(found) != set(names) for found in told["rounds"]):
        raise ValueError(f"{KEPT}: its rounds are of other servers, or not of {seconds} s: run without --resume")
    return [{name: _round(found[name]) for name in names} for found in told["rounds"]]


def _round(told: dict) -> Round:
    loads = {key: Load(**load) for key, load in told["loads"].items()}
    open_loads = {key: OpenLoad(**load) for key, load in told["open_loads"].items()}
    return Round(**{**told, "loads": loads, "open_loads": open_loads})
