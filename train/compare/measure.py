"""Errors and rankings of two models on rows that neither was trained on, computed as the server would answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
import pandas as pd

from model.artifact import Artifact
from model.asks import BestAnswer, BestAsk
from model.predictor import Predictor
from train.compare.judges import Pair
from train.compare.paired import Paired, paired
from train.dataset.data import MOVIE_ID, RATING, USER_ID
from train.dataset.features import raw_ids

LENGTH = 10
_MOST_USERS = 3_000
_USERS_AT_ONCE = 64


def compare_errors(pair: Pair, rows: pd.DataFrame) -> Paired:
    """Compares mean squared errors, in squared rating units."""
    truth = rows[RATING].to_numpy(dtype=np.float64)
    squared = [np.square(_rate(judge.artifact, rows) - truth) for judge in (pair.judge, pair.other)]
    return paired(squared[0], squared[1], np.asarray(raw_ids(rows[USER_ID])))


def _rate(artifact: Artifact, rows: pd.DataFrame) -> np.ndarray:
    users = artifact.user_ids.rows(raw_ids(rows[USER_ID]))
    movies = artifact.movie_ids.rows(raw_ids(rows[MOVIE_ID]))
    return Predictor(artifact).scorer.rate(users, movies)


def compare_rankings(pair: Pair, rows: pd.DataFrame) -> Paired | None:
    """Compares nDCG@10 over the users that both models know; None if no user has a relevant movie.

    A movie is to be found if its held-out rating is at or above the mean of the user's ratings behind the second model,
    or behind the first, where the second knows no ratings.
    Either model's training ratings are left out of both lists. The movies of events are not, because people rate what
    they viewed before.
    """
    wanted = _wanted(pair.other.artifact, pair.judge.artifact, rows)
    if not wanted:
        return None
    users = list(wanted)
    if len(users) > _MOST_USERS:
        drawn = np.random.default_rng(0).choice(len(users), _MOST_USERS, replace=False)
        users = [users[place] for place in np.sort(drawn)]
    rated = zip(*(_rated(judge.artifact, users) for judge in (pair.judge, pair.other)), strict=True)
    left_out = [one + other for one, other in rated]
    found = []
    for judge in (pair.judge, pair.other):
        lists = _lists(judge.artifact, users, left_out)
        found.append(np.array([_ndcg(one, wanted[user]) for user, one in zip(users, lists, strict=True)]))
    return paired(found[0], found[1], np.arange(len(users)))


def _wanted(base: Artifact, other: Artifact, rows: pd.DataFrame) -> dict[Any, set[Any]]:
    """The relevant movies of each user whom both versions know, by raw id."""
    if not len(base.history.ratings):
        base, other = other, base
    row = base.user_ids.rows(raw_ids(rows[USER_ID]))
    known = (row != base.user_ids.unknown) & (other.user_ids.rows(raw_ids(rows[USER_ID])) != other.user_ids.unknown)
    history = base.history
    count = np.diff(history.offsets)
    sums = np.bincount(np.repeat(np.arange(history.num_users), count), history.ratings, history.num_users)
    mean = np.append(sums / np.maximum(count, 1), np.inf)
    has_rated = np.append(count > 0, False)
    liked = known & has_rated[row] & (rows[RATING].to_numpy() >= mean[row])
    wanted: dict[Any, set[Any]] = {}
    for user, movie in zip(rows[USER_ID][liked].tolist(), rows[MOVIE_ID][liked].tolist(), strict=True):
        wanted.setdefault(user, set()).add(movie)
    return wanted


def _rated(artifact: Artifact, users: Sequence[Any]) -> list[list[Any]]:
    """The movies that each user rated, by raw id."""
    rows = artifact.user_ids.rows(np.array(users) if artifact.user_ids.integer else list(users))
    return [list(artifact.movie_ids.raw(artifact.history.seen(row))) for row in rows.tolist()]


def _lists(artifact: Artifact, users: Sequence[Any], left_out: Sequence[Sequence[Any]]) -> Iterator[list[Any]]:
    """The movies that the server would recommend to each user, best first, without those left out."""
    predictor = Predictor(artifact)
    rank_by: Any = "rating" if artifact.interest is None else "blend"
    asks = [
        BestAsk(user, top_k=LENGTH, exclude=movies, rank_by=rank_by)
        for user, movies in zip(users, left_out, strict=True)
    ]
    for start in range(0, len(asks), _USERS_AT_ONCE):
        for answer in predictor.answer(asks[start : start + _USERS_AT_ONCE]):
            yield list(cast(BestAnswer, answer).movie_ids)


def _ndcg(movies: Sequence[Any], wanted: set[Any]) -> float:
    discounts = 1 / np.log2(np.arange(2, LENGTH + 2))
    gain = sum(discount for movie, discount in zip(movies, discounts, strict=False) if movie in wanted)
    return float(gain / discounts[: len(wanted)].sum())
