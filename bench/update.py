"""`python -m bench.update DATA`: errors and time of an update, compared with the old version and a retraining."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from bench.machine import describe_machine
from bench.markdown import table
from bench.options import make_parser
from bench.publish import publish
from bench.trained import train_default
from model.artifact import Artifact, load_artifact, save_artifact
from model.asks import ColumnsAnswer, ColumnsAsk
from model.history import History
from model.predictor import Predictor
from model.scale import RatingScale
from train.dataset.data import MOVIE_ID, RATING, USER_ID, RatingsData
from train.dataset.features import raw_ids
from train.output import build_catalogue
from train.readers import load_ratings
from train.update.__main__ import update

_SEED = 1234
# One in this many movies is new: it has no rating to train on.
_NEW_MOVIES = 20
_VERSIONS = ("before", "updated", "trained anew")


def split(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The rows for training, the rows for the update, and the rows to measure on."""
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
    artifact = Artifact(network, trained.user_ids, trained.movie_ids, scale, history, catalogue, metadata)
    save_artifact(artifact, path)


def predict(path: Path, frame: pd.DataFrame) -> np.ndarray:
    """The ratings (len(frame),) that the artifact serves for these rows."""
    ask = ColumnsAsk(raw_ids(frame[USER_ID]), raw_ids(frame[MOVIE_ID]))
    [answer] = Predictor(load_artifact(path)).answer([ask])
    assert isinstance(answer, ColumnsAnswer)
    return answer.ratings


def measure(
    first: pd.DataFrame, more: pd.DataFrame, held_out: pd.DataFrame, data: RatingsData, folder: Path
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """The squared errors (T,) of the held-out rows, and the seconds to make each version."""
    paths = {name: folder / f"{name}.pt" for name in _VERSIONS}

    def make_update() -> None:
        updated = update(load_artifact(paths["before"]), replace(data, ratings=more), "updated")
        save_artifact(updated.artifact, paths["updated"])

    seconds = {
        "before": _seconds(lambda: train(data, first, paths["before"])),
        "updated": _seconds(make_update),
        "trained anew": _seconds(lambda: train(data, pd.concat([first, more]), paths["trained anew"])),
    }
    truth = held_out[RATING].to_numpy()
    return {name: np.square(predict(path, held_out) - truth) for name, path in paths.items()}, seconds


def _seconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def groups(first: pd.DataFrame, more: pd.DataFrame, held_out: pd.DataFrame) -> dict[str, np.ndarray]:
    """The groups of held-out rows, as masks (T,). New users and movies are those without a row in `first`."""
    new_user = ~held_out[USER_ID].isin(first[USER_ID].unique()).to_numpy()
    new_movie = ~held_out[MOVIE_ID].isin(first[MOVIE_ID].unique()).to_numpy()
    updated_user = held_out[USER_ID].isin(more[USER_ID].unique()).to_numpy()
    return {
        "all": np.ones(len(held_out), dtype=bool),
        "known user and movie": ~new_user & ~new_movie,
        "known, the user has new ratings": ~new_user & ~new_movie & updated_user,
        "new user, known movie": new_user & ~new_movie,
        "new user with ratings in the update": new_user & ~new_movie & updated_user,
        "new movie": new_movie,
    }


def report(
    name: str, squared: Mapping[str, np.ndarray], seconds: Mapping[str, float], masks: Mapping[str, np.ndarray]
) -> str:
    """A table of the errors by group and version, and of the seconds."""
    rows = []
    for group, mask in masks.items():
        errors = [f"{squared[version][mask].mean():.3f}" for version in _VERSIONS]
        gap = (squared["updated"] - squared["trained anew"])[mask]
        difference = f"{gap.mean():+.3f} ± {gap.std() / max(1, len(gap)) ** 0.5:.3f}"
        rows.append([group, f"{mask.sum():,}", *errors, difference])
    rows.append(["seconds", "", *(f"{seconds[version]:.1f}" for version in _VERSIONS), ""])
    return table([f"{name}, MSE", "ratings", *_VERSIONS, "updated − trained anew"], 1, rows)


def main() -> None:
    """Measures, and publishes the section `update`."""
    parser = make_parser("bench.update", __doc__)
    parser.add_argument("data", type=Path, help="a folder or file of ratings")
    options = parser.parse_args()
    machine = describe_machine()
    data = load_ratings(options.data)
    first, more, held_out = split(data.ratings)
    with tempfile.TemporaryDirectory() as folder:
        squared, seconds = measure(first, more, held_out, data, Path(folder))
    masks = groups(first, more, held_out)
    mse = {
        version: {group: float(squared[version][mask].mean()) for group, mask in masks.items()} for version in squared
    }
    text = report(options.data.resolve().name, squared, seconds, masks)
    publish("update", {**machine, "mse": mse, "seconds": seconds}, text, options)


if __name__ == "__main__":
    main()
