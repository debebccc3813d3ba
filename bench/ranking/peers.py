"""Runs the fits of bench/ranking/peer_fits.py, each in its library's environment, and tunes them on the inner rows."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from bench.machine import ROOT
from bench.ranking.kept import Kept, Part
from bench.ranking.peer_fits import PEERS, Settings
from bench.ranking.task import Data, Rows

SEEDS = (0, 1, 2)
_PROGRAM = ROOT / "bench" / "ranking" / "peer_fits.py"
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS", "LK_NUM_THREADS"), "1")


def rank_peer(data: Data, name: str, environments: Path, limit_s: float, kept: Kept) -> Part | None:
    """A peer tuned on the inner rows, fitted on all training rows: lists (seeds, U, K), seconds, version, settings.

    None if no setting ended within `limit_s` CPU seconds. `tried` is the number of settings that did; `tunable` is the
    number of all.
    """
    peer = PEERS[name]
    ndcg = []
    for settings in peer.grid:
        make = partial(_tune, data.inner, name, settings, environments, limit_s)
        ndcg.append(float(kept.get(_part_of("tuned", name, settings), make)["ndcg"]))
    if max(ndcg) < 0:
        return None
    best = peer.grid[int(np.argmax(ndcg))]
    seeds = [{**best, "random_state": seed} for seed in SEEDS] if "random_state" in best else [best]
    fits = [
        kept.get(_part_of("fit", name, settings), partial(_run, data.outer, name, settings, environments))
        for settings in seeds
    ]
    told = {key: value for key, value in best.items() if key != "random_state"}
    return {
        "lists": np.stack([fit["lists"] for fit in fits]),
        "seconds": np.array([fit["seconds"] for fit in fits]),
        "version": fits[0]["version"],
        "settings": np.array(json.dumps(told)),
        "tried": np.array(sum(one >= 0 for one in ndcg)),
        "tunable": np.array(len(peer.grid)),
    }


def _part_of(kind: str, name: str, settings: Settings) -> str:
    """The name under which a fit is kept. It contains the settings, so each setting has its own part."""
    return "-".join([kind, name, *(str(value) for value in settings.values())])


def _tune(rows: Rows, name: str, settings: Settings, environments: Path, limit_s: float) -> Part:
    """nDCG@10 on the inner rows; -1 if the fit and its lists took more than `limit_s` CPU seconds."""
    try:
        lists = _run(rows, name, settings, environments, str(round(limit_s)))["lists"]
    except TimeoutError:
        return {"ndcg": np.array(-1.0)}
    return {"ndcg": rows.measure(lists)["ndcg@10"].mean()}


def _run(rows: Rows, name: str, settings: Settings, environments: Path, *limit_s: str) -> Part:
    """The output of the program.

    Raises:
        RuntimeError: the program failed.
        TimeoutError: the program reached its limit of CPU seconds.
    """
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in.npz"
        target = Path(folder) / "out.npz"
        np.savez(
            source,
            user=rows.train.user_index.numpy(),
            movie=rows.train.movie_index.numpy(),
            num_users=rows.num_users,
            num_movies=rows.num_movies,
            rank=rows.task.user,
            settings=json.dumps(settings),
        )
        python = environments / PEERS[name].environment / "bin" / "python"
        command = [str(python), str(_PROGRAM), name, str(source), str(target), *limit_s]
        environment = {**os.environ, **_ONE_THREAD}
        ended = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
        if limit_s and ended.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
            raise TimeoutError(f"{name}: used {limit_s[0]} CPU seconds")
        if ended.returncode:
            raise RuntimeError(f"{name}: {ended.stderr.strip()}")
        with np.load(target, allow_pickle=False) as arrays:
            return {key: arrays[key] for key in arrays.files}
