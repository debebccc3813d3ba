"""The rounds of the last run of all servers, finished one by one, so that an interrupted run can go on."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from bench.load import Load
from bench.open_loop import OpenLoad
from bench.peers.measure import Round
from bench.peers.processes import ROOT

KEPT = ROOT / "build" / "bench" / "peers-rounds.json"
Rounds = list[dict[str, Round]]


def keep(rounds: Rounds, run: Mapping[str, object]) -> None:
    """Writes all finished rounds in one step, so that whoever is killed here leaves the old ones or the new ones.

    run: what must be the same for those that are added: model, commit, seconds.
    """
    told = [{name: asdict(one) for name, one in found.items()} for found in rounds]
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    partial = KEPT.with_name(f".{KEPT.name}.{os.getpid()}")
    partial.write_text(json.dumps({"run": dict(run), "rounds": told}))
    os.replace(partial, KEPT)


def kept(names: Sequence[str], run: Mapping[str, object]) -> Rounds:
    """The rounds that the last run finished; none if there was no run.

    Raises:
        ValueError: that run had other servers, or was of something else.
    """
    if not KEPT.exists():
        return []
    told = json.loads(KEPT.read_text())
    if told["run"] != run or any(set(found) != set(names) for found in told["rounds"]):
        raise ValueError(f"{KEPT}: its rounds are of {told['run']}, this run is of {dict(run)}: run without --resume")
    return [{name: _round(found[name]) for name in names} for found in told["rounds"]]


def _round(told: dict) -> Round:
    loads = {key: Load(**load) for key, load in told["loads"].items()}
    open_loads = {key: OpenLoad(**load) for key, load in told["open_loads"].items()}
    return Round(**{**told, "loads": loads, "open_loads": open_loads})
