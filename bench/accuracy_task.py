"""What errors are compared on: a data set's split, and the groups of held-out rows that errors are of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from bench.ranking.ours import fit_ours
from model.scale import RatingScale
from train.dataset.data import TIME, USER_ID, RatingsData, split_at, split_ratings
from train.dataset.splits import last_rows
from train.dataset.tensors import Ratings, TrainingSet, index_ratings, look_up_ratings
from train.evaluation.ranking import rank_held_out
from train.evaluation.ranking_scores import baseline_scores, join_scores
from train.evaluation.ranking_words import format_rankings
from train.readers import load_ratings
from train.readers.times import no_times

Split = Literal["random", "time"]
_SHARE = 0.2
_MOST_USERS = 3_000
_KNOWN = "known users and movies"


@dataclass(frozen=True)
class Task:
    """A split data set: the training rows and the B held-out rows, each with the catalogue's features and without.

    groups: masks (B,) of the held-out rows that errors are of, by name.
    """

    name: str
    split: Split
    scale: RatingScale
    groups: dict[str, np.ndarray]
    with_features: TrainingSet
    without_features: TrainingSet
    rows_with_features: Ratings
    rows_without_features: Ratings

    @property
    def truth(self) -> np.ndarray:
        """The ratings of the held-out rows (B,), in rating units."""
        return self.rows_without_features.rating.numpy()


def read_task(folder: Path, kind: Split) -> Task:
    """Reads a folder of ratings and splits it."""
    data: RatingsData = load_ratings(folder)
    if kind == "time":
        if TIME not in data.ratings:
            raise no_times(data.source.name, "--split time")
        split = split_at(data.ratings, last_rows(data.ratings[TIME].to_numpy(), _SHARE), data.source)
        held_out = split.validation
        is_new = ~held_out[USER_ID].isin(split.train[USER_ID]).to_numpy()
        groups = {_KNOWN: split.validation_known, "all": np.ones_like(is_new), "new users": is_new}
    else:
        split = split_ratings(data.ratings, source=data.source)
        held_out = split.known
        groups = {_KNOWN: np.ones(len(held_out), dtype=np.bool_)}
    with_features = index_ratings(split.train, data.movies)
    without_features = index_ratings(split.train, None)
    return Task(
        folder.resolve().name,
        kind,
        RatingScale(*data.rating_scale),
        groups,
        with_features,
        without_features,
        look_up_ratings(held_out, with_features.user_ids, with_features.movie_ids),
        look_up_ratings(held_out, without_features.user_ids, without_features.movie_ids),
    )


def rankings_table(task: Task, seed: int) -> str:
    """This project's rankings of the held-out rows beside the baselines', as `python -m train` prints them."""
    ours = fit_ours(task.with_features, task.scale, seed, task.split)
    train, network = ours.trained.ratings, ours.network
    scores = join_scores(ours.scores(), baseline_scores(train, network.num_movies))
    known = network.num_users, network.num_movies
    found = rank_held_out(train, task.rows_with_features, *known, task.scale.minimum, scores, _MOST_USERS)
    return f"```\n{format_rankings(found)}\n```" if found else "No known user rated a movie that they can be shown."
