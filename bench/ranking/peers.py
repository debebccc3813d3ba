"""Runs the fits of bench/ranking/peer_fits.py, each in its library's environment, and tunes them on the inner rows."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
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

    None if it fitted no setting within `limit_s` seconds.

    `tried` is the number of settings that the tuning finished within `limit_s` seconds; `tunable` is the number of all.
    """
    peer = PEERS[name]
    tuned = kept.get(f"{name}-tuned", lambda: _run(data.inner, name, peer.grid, environments, limit_s))
    if not len(tuned["lists"]):
        return None
    ndcg = [float(data.inner.measure(lists)["ndcg@10"].mean()) for lists in tuned["lists"]]
    best = peer.grid[int(np.argmax(ndcg))]
    seeds = [{**best, "random_state": seed} for seed in SEEDS] if "random_state" in best else [best]
    found = kept.get(name, lambda: _run(data.outer, name, seeds, environments, 10 * limit_s))
    told = {key: value for key, value in best.items() if key != "random_state"}
    counts = {"tried": np.array(len(ndcg)), "tunable": np.array(len(peer.grid))}
    return {**found, "settings": np.array(json.dumps(told)), **counts}


def _run(rows: Rows, name: str, settings: Sequence[Settings], environments: Path, limit_s: float) -> Part:
    """The output of the program, for the settings that it finished in time.

    Raises:
        RuntimeError: the program failed.
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
            settings=json.dumps(list(settings)),
        )
        python = environments / PEERS[name].environment / "bin" / "python"
        command = [str(python), str(_PROGRAM), name, str(source), str(target)]
        environment = {**os.environ, **_ONE_THREAD}
        try:
            subprocess.run(command, env=environment, check=True, timeout=limit_s, capture_output=True, text=True)
        except subprocess.CalledProcessError as error:
            raise RuntimeError(f"{name}: {error.stderr.strip()}") from error
        except subprocess.TimeoutExpired:
            if not target.is_file():
                return {"lists": np.zeros(0)}
        with np.load(target, allow_pickle=False) as arrays:
            return {key: arrays[key] for key in arrays.files}
