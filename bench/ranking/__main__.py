"""`python -m bench.ranking DATA...`: this project's recommendations against EASE^R, implicit, LensKit and RecTools.

A fifth of the rows is held out, as in training. Every peer is tuned with the same number of settings on
the same inner split of the training rows. This project uses its defaults. The whole catalogue is ranked for up to 3,000
users, without the movies that they rated in training. A movie is relevant if its held-out rating is at least the user's
mean rating in training.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.machine import ROOT, describe_machine
from bench.options import make_parser
from bench.publish import publish
from bench.ranking.ease import EASE, RIDGES, fit_ease
from bench.ranking.kept import Kept, Part
from bench.ranking.new_users import rank_draws, rank_new_users
from bench.ranking.ours import fit_ours
from bench.ranking.peer_fits import PEERS
from bench.ranking.peers import SEEDS, rank_peer
from bench.ranking.score import Score, less, mean_of_fits, new_users_table, score_table, words
from bench.ranking.task import Data, Rows, read_data
from train.evaluation.ranking_scores import MOST_POPULAR, baseline_scores


def measure(data: Data, kept: Kept, environments: Path, limit_s: float) -> Iterator[Score]:
    """The scores of one data set, this project's blend first."""
    ours = [kept.get(f"ours-{seed}", partial(_rank_ours, data, seed)) for seed in SEEDS]
    first: np.ndarray | None = None
    for name in ours[0]:
        metrics = mean_of_fits([data.outer.measure(fit[name]) for fit in ours])
        first = metrics["ndcg@10"] if first is None else first
        yield _score(words(name), metrics, first, fits=len(ours))
    assert first is not None
    popular = data.outer.rank(baseline_scores(data.outer.train, data.outer.num_movies))[MOST_POPULAR]
    yield _score(words(MOST_POPULAR), data.outer.measure(popular), first)
    ridge = best_ridge(data, kept)
    lists = kept.get(EASE, lambda: {EASE: _rank_ease(data.outer, ridge)})[EASE]
    yield _score(
        words(EASE),
        data.outer.measure(lists),
        first,
        settings=f"ridge {ridge:g}; {len(RIDGES)} of {len(RIDGES)} settings tried",
    )
    for name, peer in PEERS.items():
        found = rank_peer(data, name, environments, limit_s, kept)
        print(f"{data.name}: {name}", file=sys.stderr)
        if found is None:
            yield Score(peer.title, 0, {}, None, f"no setting ended within {limit_s:g} CPU s")
            continue
        metrics = mean_of_fits([data.outer.measure(lists) for lists in found["lists"]])
        tried = f"; {found['tried']} of {found['tunable']} settings tried"
        settings = str(found["settings"]).translate(str.maketrans("", "", '{}"')) + tried
        seconds, version = float(found["seconds"].mean()), str(found["version"])
        told = {"settings": settings, "version": version, "fit_s": seconds}
        yield _score(peer.title, metrics, first, fits=len(found["lists"]), **told)


def best_ridge(data: Data, kept: Kept) -> float:
    """The ridge of EASE^R with the best result on the inner rows."""
    tuned = [kept.get(f"ease-tuned-{ridge:g}", partial(_ease_ndcg, data, ridge)) for ridge in RIDGES]
    return RIDGES[int(np.argmax([one["ndcg"] for one in tuned]))]


def _ease_ndcg(data: Data, ridge: float) -> Part:
    return {"ndcg": data.inner.measure(_rank_ease(data.inner, ridge))["ndcg@10"].mean()}


def _rank_ease(rows: Rows, ridge: float) -> np.ndarray:
    ease = fit_ease(rows.train, rows.num_users, rows.num_movies, ridge)
    return rows.rank(ease.scores(rows.train, rows.num_users))[EASE]


def _rank_ours(data: Data, seed: int) -> Part:
    print(f"{data.name}: seed {seed}", file=sys.stderr)
    return data.outer.rank(fit_ours(data.training, data.scale, seed).scores())


def _score(name: str, metrics: Part, ours: np.ndarray, fits: int = 1, **told: Any) -> Score:
    ndcg = metrics["ndcg@10"]
    means = {key: float(value.mean()) for key, value in metrics.items()}
    return Score(name, fits, means, None if ndcg is ours else less(ours, ndcg), **told)


def main() -> None:
    """Measures, and publishes the section `ranking`."""
    parser = make_parser("bench.ranking", __doc__)
    parser.add_argument("data", type=Path, nargs="*", default=[Path("build/demo")], help="folders or files of ratings")
    parser.add_argument("--peers", type=Path, default=ROOT / ".venv-peers", help="folder of the peers' environments")
    parser.add_argument("--limit-s", type=float, default=300.0, help="the most CPU seconds for one setting of a peer")
    parser.add_argument(
        "--resume", action="store_true", help="reuse the finished parts of an interrupted run of this code"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    machine = describe_machine()
    tables: list[str] = []
    results: dict[str, Any] = {}
    for path in options.data:
        data = read_data(path)
        kept = Kept(data.read.sha256)
        if not options.resume:
            kept.clear()
        scores = list(measure(data, kept, options.peers, options.limit_s))
        tables.append(score_table(data.name, len(data.outer.task.user), scores))
        ridge = best_ridge(data, kept)
        draws = [kept.get(f"new-{seed}", partial(rank_new_users, data, seed, ridge)) for seed in SEEDS]
        new_users = rank_draws(draws)
        tables.append(new_users_table(data.name, new_users))
        machine["versions"] |= {PEERS[name].package: score.version for name, score in _peers(scores)}
        results[data.name] = {
            "scores": [asdict(one) for one in scores],
            "new_users_ndcg": {name: float(values.mean()) for name, values in new_users.items()},
        }
    publish("ranking", {**machine, "data": results}, "\n\n".join(tables), options)


def _peers(scores: list[Score]) -> list[tuple[str, Score]]:
    titles = {peer.title: name for name, peer in PEERS.items()}
    return [(titles[one.name], one) for one in scores if one.name in titles]


if __name__ == "__main__":
    main()
