"""`python -m bench.update FOLDER`: what an update knows, and takes, against the version before it and training anew."""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from bench.machine import describe_machine, write_results
from bench.trained import train_default
from model.artifact import Artifact, load_artifact, save_artifact
from model.asks import ColumnsAsk
from model.history import History
from model.predictor import Predictor
from model.scale import RatingScale
from train.dataset.data import MOVIE_ID, RATING, USER_ID, RatingsData
from train.dataset.features import raw_ids
from train.output import build_catalogue
from train.readers import load_ratings
from train.update.__main__ import update

_SEED, _NEW_MOVIES = 1234, 20  # every twentieth movie is a new one


def split(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Rows to train on, to update with, and to measure on."""
    random = np.random.RandomState(_SEED)
    part = random.permutation(len(frame)) * 5 // len(frame)
    movies = random.permutation(np.unique(frame[MOVIE_ID]))
    late = frame[MOVIE_ID].isin(movies[: len(movies) // _NEW_MOVIES]).to_numpy()
    return frame[(part < 3) & ~late], frame[(part == 3) | ((part < 3) & late)], frame[part == 4]


def train(data: RatingsData, frame: pd.DataFrame, path: Path) -> None:
    """Trains on `frame` and writes the artifact."""
    network, trained = train_default(data, frame)
    rated = trained.ratings
    columns = (rated.user_index.numpy(), rated.movie_index.numpy(), rated.rating.numpy())
    history = History.from_ratings(*columns, len(trained.user_ids))
    catalogue, scale = build_catalogue(data.movies, trained.movie_ids), RatingScale(*data.rating_scale)
    metadata = {"architecture": type(network).__name__, "version": path.stem}
    save_artifact(Artifact(network, trained.user_ids, trained.movie_ids, scale, history, catalogue, metadata), path)


def predict(path: Path, frame: pd.DataFrame) -> np.ndarray:
    """The artifact's ratings (len(frame),), as it would serve them."""
    answer = Predictor(load_artifact(path)).answer([ColumnsAsk(raw_ids(frame[USER_ID]), raw_ids(frame[MOVIE_ID]))])[0]
    ratings: np.ndarray = answer.ratings  # type: ignore[union-attr]
    return ratings


def measure(data: RatingsData, folder: Path) -> tuple[dict[str, np.ndarray], dict[str, float], dict[str, np.ndarray]]:
    """Squared errors (T,) by version, seconds by version, and the groups of the T ratings as masks."""
    first, more, held_out = split(data.ratings)
    paths = {name: folder / f"{name}.pt" for name in ("before", "updated", "trained anew")}
    seconds = {}
    start = time.perf_counter()
    train(data, first, paths["before"])
    seconds["before"] = time.perf_counter() - start
    start = time.perf_counter()
    updated = update(load_artifact(paths["before"]), replace(data, ratings=more), "updated")
    save_artifact(updated.artifact, paths["updated"])
    seconds["updated"] = time.perf_counter() - start
    start = time.perf_counter()
    train(data, pd.concat([first, more]), paths["trained anew"])
    seconds["trained anew"] = time.perf_counter() - start
    truth = held_out[RATING].to_numpy()
    squared = {name: np.square(predict(path, held_out) - truth) for name, path in paths.items()}
    new_user = ~held_out[USER_ID].isin(first[USER_ID].unique()).to_numpy()
    new_movie = ~held_out[MOVIE_ID].isin(first[MOVIE_ID].unique()).to_numpy()
    updated_user = held_out[USER_ID].isin(more[USER_ID].unique()).to_numpy()
    groups = {
        "all": np.ones(len(truth), dtype=bool),
        "known user and movie": ~new_user & ~new_movie,
        "known, the user has new ratings": ~new_user & ~new_movie & updated_user,
        "new user, known movie": new_user & ~new_movie,
        "new user with ratings in the update": new_user & ~new_movie & updated_user,
        "new movie": new_movie,
    }
    return squared, seconds, groups


def main() -> None:
    """Measures, prints and writes the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.update", description=__doc__)
    parser.add_argument("data", type=Path, help="a folder or file of ratings")
    path = parser.parse_args().data
    data = load_ratings(path)
    with tempfile.TemporaryDirectory() as folder:
        squared, seconds, groups = measure(data, Path(folder))
    versions = list(squared)
    lines = [f"| {path.resolve().name}, MSE | ratings | {' | '.join(versions)} | updated − trained anew |"]
    lines.append("|---|" + "--:|" * (len(versions) + 2))
    for group, mask in groups.items():
        cells = [f"{squared[name][mask].mean():.3f}" for name in versions]
        gap = (squared["updated"] - squared["trained anew"])[mask]
        cells.append(f"{gap.mean():+.3f} ± {gap.std() / max(1, len(gap)) ** 0.5:.3f}")
        lines.append(f"| {group} | {mask.sum():,} | {' | '.join(cells)} |")
    lines.append(f"| seconds | | {' | '.join(f'{seconds[name]:.1f}' for name in versions)} | |")
    print("\n".join(lines))
    figures = {name: {group: float(squared[name][mask].mean()) for group, mask in groups.items()} for name in versions}
    write_results("update", {**describe_machine(), "mse": figures, "seconds": seconds}, "\n".join(lines))


if __name__ == "__main__":
    main()
