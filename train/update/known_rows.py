"""Removes new ratings that the version already has, so that a cumulative export counts each rating once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from model.artifact import Artifact
from model.history import History
from model.vocabulary import counted
from train.dataset.data import MOVIE_ID, RATING, USER_ID, RatingsData
from train.dataset.features import raw_ids
from train.errors import DataError


class NothingNewError(DataError):
    """The version already has all of the ratings. data: the same data without any."""

    def __init__(self, message: str, data: RatingsData) -> None:
        super().__init__(message)
        self.data = replace(data, ratings=data.ratings.iloc[:0])


def refuse_known(base: dict[str, Any], data: RatingsData) -> None:
    """Refuses a file that the version was already made from, because its ratings would count twice."""
    known = [base.get("data", {}), *(step["data"] for step in base.get("updates", []))]
    if data.sha256 in [one.get("sha256") for one in known]:
        told = f"{data.source}: the version to update already has these ratings (same SHA-256)"
        raise NothingNewError(told, data)


def without_known_rows(base: Artifact, data: RatingsData) -> RatingsData:
    """Removes rows whose user, movie and rating the version already has. It removes as many copies as the version has.

    A pair with a different rating stays. The data's ids must have the version's types.
    Raises NothingNewError if no row stays.
    """
    known = _known_rows(base, data)
    if not known.any():
        return data
    if known.all():
        raise NothingNewError(
            f"{data.source.name}: the version to update already has all of its {counted(len(known), 'rating')}; "
            "allowed are new ones, or --count-again",
            data,
        )
    data.reading.say(f"{counted(int(known.sum()), 'row')} left out, because the version to update already has them")
    rows = np.flatnonzero(~known)
    ratings = data.ratings.iloc[rows].reset_index(drop=True)
    return replace(data, ratings=ratings, locate=lambda row: data.locate(int(rows[row])))


def newest_of(metadata: dict[str, Any]) -> str | None:
    """The newest time of a version's ratings, from its metadata; None if the metadata has none."""
    steps = [metadata.get("data", {}), *(step["data"] for step in metadata.get("updates", []))]
    times = [step["newest"] for step in steps if step.get("newest") is not None]
    return times[-1] if times else None


def _known_rows(base: Artifact, data: RatingsData) -> npt.NDArray[np.bool_]:
    """(rows,) bool. The k-th row with one user, movie and rating is known if the version has at least k such rows."""
    users = base.user_ids.rows(_raw(base.user_ids.integer, data, USER_ID)).astype(np.int64)
    movies = base.movie_ids.rows(_raw(base.movie_ids.integer, data, MOVIE_ID)).astype(np.int64)
    rating = data.ratings[RATING].to_numpy(dtype=np.float32)
    is_known = np.zeros(len(users), dtype=np.bool_)
    rows = np.flatnonzero((users != base.user_ids.unknown) & (movies != base.movie_ids.unknown))
    rows = rows[np.argsort(users[rows], kind="stable")]
    raters = np.unique(users[rows])
    for some in base.history.few_at_once(raters):
        own = raters[some]
        first, last = np.searchsorted(users[rows], own[0]), np.searchsorted(users[rows], own[-1], side="right")
        part = rows[first:last]
        is_known[part] = _known_in(base.history, own, (users[part], movies[part], rating[part]), len(base.movie_ids))
    return is_known


def _known_in(
    history: History, users: np.ndarray, new: tuple[np.ndarray, np.ndarray, np.ndarray], num_movies: int
) -> npt.NDArray[np.bool_]:
    """The same of rows with users, movies and ratings `new`, all of which are of the users `users`, ascending."""
    owner, places = history.places_of(users)
    old = users[owner], history.movie_index[places], history.ratings[places]
    user, movie, rating = (np.concatenate(both) for both in zip(old, new, strict=True))
    levels, codes = np.unique(rating, return_inverse=True)
    keys = (user * num_movies + movie) * len(levels) + codes
    distinct, counts = np.unique(keys[: len(places)], return_counts=True)
    own = keys[len(places) :]
    if not len(distinct):
        return np.zeros(len(own), dtype=np.bool_)
    place = np.minimum(np.searchsorted(distinct, own), len(distinct) - 1)
    held = np.where(distinct[place] == own, counts[place], 0)
    known: npt.NDArray[np.bool_] = _earlier_alike(own) < held
    return known


def _earlier_alike(keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How many earlier rows have the same key."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    ranks = np.arange(len(keys)) - np.repeat(starts, np.diff(np.append(starts, len(keys))))
    earlier = np.empty(len(keys), dtype=np.int64)
    earlier[order] = ranks
    return earlier


def _raw(integer: bool, data: RatingsData, name: str) -> npt.NDArray[np.int64] | list[str]:
    """A column of ids in the type of the version's map. String ids may all look like integers in this file."""
    found = raw_ids(data.ratings[name])
    return found if integer else [str(one) for one in found]
