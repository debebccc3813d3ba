"""Which ratings are trained on and which are held out to measure, as the options of a run ask for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from model.vocabulary import counted
from train.config import TrainConfig
from train.dataset.data import MOVIE_ID, RATING, TIME, USER_ID, RatingsData, split_at, split_ratings
from train.dataset.splits import Mask, last_row_of_users, last_rows, last_rows_of_users, rows_of_new_users
from train.errors import DataError
from train.readers.ids import id_type
from train.readers.times import no_times


@dataclass(frozen=True, eq=False)
class Sides:
    """Ratings to train on and ratings to measure on; None where nothing is held out.

    refit: whether the held-out ratings may be trained on, once they are measured.
    described: the split, as metrics.json tells it.
    """

    train: pd.DataFrame
    held_out: pd.DataFrame | None
    refit: bool
    described: dict[str, Any]


def split_as_asked(config: TrainConfig, data: RatingsData) -> Sides:
    """The two sides of the split that `--split` or `--test-file` names.

    Raises:
        DataError: the split needs times that the data lacks, it leaves a side empty, there are more folds than
            ratings, all ratings are of one movie, or the test file cannot be read.
    """
    if data.ratings[MOVIE_ID].nunique() == 1:
        told = f"all ratings are of one {config.words.item}, {data.ratings[MOVIE_ID].iloc[0]}"
        raise DataError(f"{data.source.name}: {told}; at least 2 {config.words.items} are needed")
    if len(data.ratings) < config.folds:
        told = f"{data.source.name}: {counted(len(data.ratings), 'rating is', 'ratings are')}"
        raise DataError(f"{told} too few for --folds {config.folds}")
    if config.test_file is not None:
        return _test_file(config, data)
    described: dict[str, Any] = {"kind": config.split, "seed": config.split_seed, "test_size": config.test_size}
    if config.split == "users":
        described["given"] = config.given
    described["served"] = "all" if config.refit else "train"
    if not config.test_size:
        return Sides(data.ratings, None, False, described)
    if config.split == "random":
        split = split_ratings(data.ratings, config.test_size, config.split_seed, data.source)
    else:
        split = split_at(data.ratings, _held_out(config, data), data.source)
    return Sides(split.train, split.validation, config.refit, described)


def folds(config: TrainConfig, data: RatingsData) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Training and held-out ratings of each of `config.folds` folds: every rating is held out once, drawn at random."""
    from sklearn.model_selection import KFold  # it takes a second, and only folds need it

    parts = KFold(config.folds, shuffle=True, random_state=config.split_seed)
    for train, held_out in parts.split(np.zeros(len(data.ratings))):
        yield data.ratings.iloc[train], data.ratings.iloc[held_out]


def _held_out(config: TrainConfig, data: RatingsData) -> Mask:
    ratings = data.ratings
    if config.split == "users":
        return rows_of_new_users(ratings[USER_ID], config.test_size, config.given, config.split_seed)
    if TIME not in ratings:
        raise no_times(data.source.name, f"--split {config.split}")
    time = ratings[TIME].to_numpy()
    if config.split == "time":
        return last_rows(time, config.test_size)
    if config.split == "leave-last-out":
        return last_row_of_users(ratings[USER_ID], time)
    return last_rows_of_users(ratings[USER_ID], time, config.test_size)


def _test_file(config: TrainConfig, data: RatingsData) -> Sides:
    """All of the data to train on, and a person's own file to measure on, which is never trained on.

    Rows of it that are trained on all the same are not measured.
    """
    assert config.test_file is not None
    rules = replace(
        config,
        user_ids=id_type(data.ratings[USER_ID]),
        movie_ids=id_type(data.ratings[MOVIE_ID]),
        movies=None,
        catalogue=False,
        events=None,
    )
    held_out = rules.read(config.test_file, config.rating_scale)
    rows = held_out.ratings if config.copies == "keep" else _unseen(held_out, data)
    described = {"kind": "test-file", "file": held_out.source.name, "sha256": held_out.sha256, "served": "train"}
    return Sides(data.ratings, rows, False, described | {"reading": asdict(held_out.reading)})


def _unseen(held_out: RatingsData, data: RatingsData) -> pd.DataFrame:
    """The rows of a test file that the data lacks: the same user, movie, rating and, where both have one, time."""
    ratings = held_out.ratings
    columns = [USER_ID, MOVIE_ID, RATING, *([TIME] if TIME in ratings and TIME in data.ratings else [])]
    joined = ratings[columns].merge(data.ratings[columns].drop_duplicates(), how="left", indicator=True)
    seen = (joined["_merge"] == "both").to_numpy()
    if not seen.any():
        return ratings
    first = held_out.locate(int(np.flatnonzero(seen)[0]))
    told = f"{first}: a row of {data.source.name} too, and trained on; rows like this: {int(seen.sum()):,}"
    if seen.all():
        raise DataError(f"{told}, which are all; allowed are ratings that are not trained on, or --copies keep")
    held_out.reading.warn(f"{told}, not measured; --copies keep measures them")
    return ratings[~seen].reset_index(drop=True)
