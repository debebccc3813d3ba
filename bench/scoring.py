"""`python -m bench.scoring`: how fast one core makes the lists of all users, in a catalogue of 20,000 movies.

The model is made without training: the given number of users, 50 ratings each, 4,096 movies with weights. For each
ranking, it measures pairs of user and movie per second of CPU time. It compares the lists by the sketch with the exact
ones.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from bench.growth import make_network
from bench.machine import describe_machine
from bench.markdown import table
from model.artifact import Artifact, load_artifact, save_artifact
from model.asks import Call, ServedModel
from model.catalogue import Catalogue
from model.history import History
from model.ids import IdMap
from model.interest import Interest
from model.scale import RatingScale
from score.lists import BestList, ListMaker, Wanted

MOVIES, WEIGHTED, RATINGS_OF_A_USER = 20_000, 4_096, 50
_TOP_K, _BATCH_USERS, _ROUNDS = 10, 100, 3


def make_artifact(path: Path, users: int) -> None:
    """Writes an untrained artifact with an interest part; popular movies get more ratings, as in real data."""
    generator = np.random.default_rng(0)
    movies = (MOVIES * generator.random((users, RATINGS_OF_A_USER)) ** 3).astype(np.int32)
    movies.sort(axis=1)
    offsets = np.arange(users + 1, dtype=np.int64) * RATINGS_OF_A_USER
    ratings = generator.integers(1, 11, movies.size).astype(np.float32)
    popularity = torch.from_numpy(np.bincount(movies.ravel(), minlength=MOVIES + 1) / users).float()
    torch.manual_seed(0)
    weights = torch.randn(WEIGHTED + 1, WEIGHTED + 1) * 0.01
    weights[-1] = weights[:, -1] = 0.0
    column = torch.arange(MOVIES + 1).clamp(max=WEIGHTED)
    artifact = Artifact(
        make_network(users, MOVIES),
        IdMap(np.cumsum(generator.integers(1, 40, users))),
        IdMap(np.cumsum(generator.integers(1, 40, MOVIES))),
        RatingScale(1, 10),
        History(offsets, movies.ravel(), ratings),
        Catalogue({}, MOVIES),
        {"version": "made"},
        Interest(column, weights, popularity, 0.2, 0.5, 0.3, 0.03, 5.5),
    )
    save_artifact(artifact, path)


def measure(artifact: Artifact, users: int) -> tuple[dict[str, float], float]:
    """Million pairs per second and core for each way, and the share of the exact ten best that the sketch keeps."""
    torch.set_num_threads(1)
    model = ServedModel.from_artifact(artifact)
    short = Wanted(_TOP_K, "rating")
    ways = {"blend": replace(short, rank_by="blend"), "interest": replace(short, rank_by="interest")}
    ways |= {"rating, every pair": replace(short, exact=True), "rating, by the sketch": short}
    speeds, found = {}, {}
    for name, wanted in ways.items():
        maker = ListMaker(model, wanted)
        found[name] = _lists(maker, model, min(users, 2 * _BATCH_USERS))  # a warm-up
        spent = []
        for _ in range(_ROUNDS):
            started = time.process_time()
            found[name] = _lists(maker, model, users)
            spent.append(time.process_time() - started)
        speeds[name] = users * maker.candidates / min(spent) / 1e6
    return speeds, recall(found["rating, by the sketch"], found["rating, every pair"])


def recall(ours: list[BestList], exact: list[BestList]) -> float:
    """The share of the exact lists' movies that our lists contain."""
    kept = [len(np.intersect1d(one.rows, best.rows)) for one, best in zip(ours, exact, strict=True)]
    return sum(kept) / sum(len(best.rows) for best in exact)


def _lists(maker: ListMaker, model: ServedModel, users: int) -> list[BestList]:
    found: list[BestList] = []
    for start in range(0, users, _BATCH_USERS):
        call = Call(model)
        found += maker.lists([model.user_at(row) for row in range(start, min(start + _BATCH_USERS, users))], call)
    return found


def main() -> None:
    """Makes the artifact and prints the figures; with `--make`, only writes the artifact."""
    parser = argparse.ArgumentParser(prog="bench.scoring", description=__doc__)
    parser.add_argument("--make", type=Path, help="write the artifact to this file for `python -m score`, and end")
    parser.add_argument("--artifact", type=Path, help="measure this artifact instead")
    parser.add_argument("--users", type=int, default=1_000)
    options = parser.parse_args()
    if options.make:
        make_artifact(options.make, options.users)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = options.artifact or Path(folder) / "ncf.pt"
        if not options.artifact:
            make_artifact(path, options.users)
        artifact = load_artifact(path)
        speeds, kept = measure(artifact, min(options.users, len(artifact.user_ids)))
        machine = describe_machine(path)
    print(table(("order", "million pairs/s and core"), 1, ((name, f"{speed:.1f}") for name, speed in speeds.items())))
    print(f"\nThe sketch keeps {kept:.4f} of the exact ten best, of {len(artifact.movie_ids):,} movies.")
    print(f"{machine['processor']}, one core")


if __name__ == "__main__":
    main()
