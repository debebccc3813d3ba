"""The task of the comparison: the split of a data set, an inner split to tune peers, and the users to rank for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.scale import RatingScale
from train.dataset.data import RatingsData, split_ratings
from train.dataset.tensors import Ratings, TrainingSet, index_ratings, look_up_ratings
from train.evaluation.ranking import first_movies, judge
from train.evaluation.ranking_metrics import measure_lists
from train.evaluation.ranking_scores import Scores, count_raters
from train.evaluation.relevance import RankingTask, ranking_task
from train.readers import load_ratings

MOST_USERS = 3_000
# Peers are tuned on fewer, so that a run ends.
MOST_INNER_USERS = 1_000
INNER_SEED = 99


@dataclass(frozen=True)
class Rows:
    """Ratings to fit on, and the users to rank for, with the relevance of their held-out movies."""

    train: Ratings
    task: RankingTask
    num_users: int
    num_movies: int

    def rank(self, scores: Scores) -> dict[str, np.ndarray]:
        """For each ranking, the first unrated movies of each user: (U, K) rows, or -1."""
        return first_movies(self.task.user, self.train, self.num_users, self.num_movies, scores)

    def measure(self, movies: np.ndarray) -> dict[str, np.ndarray]:
        """The metrics of `train/evaluation/ranking_metrics.py` for each user's first movies (U, K)."""
        raters = count_raters(self.train, self.num_movies)
        return measure_lists(judge(movies, self.task.liked, raters, self.num_users))


@dataclass(frozen=True)
class Data:
    """A data set with a fifth of the rows held out (`outer`), and its training rows split again (`inner`)."""

    name: str
    read: RatingsData
    scale: RatingScale
    training: TrainingSet
    outer: Rows
    inner: Rows


def read_data(path: Path) -> Data:
    """Reads a folder or file of ratings and splits it; the outer split is that of a training."""
    read = load_ratings(path)
    scale = RatingScale(*read.rating_scale)
    split = split_ratings(read.ratings, source=read.source)
    training = index_ratings(split.train, read.movies)
    again = split_ratings(split.train, seed=INNER_SEED, source=read.source)
    inner, watched, held_out = (
        look_up_ratings(frame, training.user_ids, training.movie_ids)
        for frame in (again.train, again.validation, split.validation)
    )
    known = len(training.user_ids), len(training.movie_ids)
    return Data(
        path.resolve().name,
        read,
        scale,
        training,
        outer=rows_of(training.ratings, held_out, *known, scale),
        inner=rows_of(inner, watched, *known, scale, MOST_INNER_USERS),
    )


def rows_of(
    train: Ratings, held_out: Ratings, num_users: int, num_movies: int, scale: RatingScale, most_users: int = MOST_USERS
) -> Rows:
    """Rows with at most `most_users` users to rank for."""
    task = ranking_task(train, held_out, num_users, num_movies, scale.minimum, most_users)
    return Rows(train, task, num_users, num_movies)
