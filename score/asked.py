"""The users to make lists for: all users of a version, those of a file, or those of new ratings."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from model.artifact import Artifact
from model.asks import BestAsk, Call, FoldInAsk, ServedModel, User
from score.config import ScoreConfig
from train.adopt.id_columns import Side
from train.adopt.id_files import read_network_ids
from train.dataset.data import MOVIE_ID, RATING, USER_ID, RatingsData, index_ids
from train.dataset.reading import Reading
from train.errors import DataError
from train.readers import names


@dataclass(frozen=True)
class SentRatings:
    """New ratings, user by user: those of user u stand at `offsets[u]` to `offsets[u + 1]` of the other two arrays.

    movie_ids: raw, int64, or bytes that hold UTF-8. ratings: float32, in rating units.
    """

    offsets: np.ndarray
    movie_ids: np.ndarray
    ratings: np.ndarray


@dataclass(frozen=True)
class AskedUsers:
    """Raw ids, each once: int64, or bytes that hold UTF-8; and the ratings sent along, if there are any."""

    ids: np.ndarray
    sent: SentRatings | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def part(self, start: int, end: int) -> AskedUsers:
        """The users `start` to `end`."""
        if self.sent is None:
            return AskedUsers(self.ids[start:end])
        offsets = self.sent.offsets[start : min(end, len(self)) + 1]
        own = slice(offsets[0], offsets[-1])
        return AskedUsers(
            self.ids[start:end], SentRatings(offsets - offsets[0], self.sent.movie_ids[own], self.sent.ratings[own])
        )

    def digest(self) -> str:
        """SHA-256 of the ids and the ratings."""
        digest = hashlib.sha256()
        arrays = [self.ids]
        if self.sent is not None:
            arrays += [self.sent.offsets, self.sent.movie_ids, self.sent.ratings]
        for array in arrays:
            digest.update(f"{array.dtype} {array.shape}\n".encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    def rows(self, model: ServedModel) -> np.ndarray:
        """The users' rows (n,). A user that the model does not know has the unknown user's row."""
        if not self._same_type(model):
            return np.full(len(self), model.user_ids.unknown)
        return model.user_ids.rows(self.ids if model.user_ids.integer else _raw(self.ids))

    def users(self, model: ServedModel, call: Call) -> list[User]:
        """The users as the model has them; folded in where ratings are sent along."""
        if self.sent is None:
            return [model.user_at(row) for row in self.rows(model).tolist()]
        raw = _raw(self.ids) if self._same_type(model) else [None] * len(self)
        found = []
        for one, start, end in zip(raw, self.sent.offsets[:-1].tolist(), self.sent.offsets[1:].tolist(), strict=True):
            movies, ratings = _raw(self.sent.movie_ids[start:end]), self.sent.ratings[start:end].tolist()
            found.append(FoldInAsk(BestAsk(one), movies, ratings).fold_in(model, call))
        return found

    def _same_type(self, model: ServedModel) -> bool:
        return (self.ids.dtype == np.int64) == model.user_ids.integer


def asked_users(config: ScoreConfig, artifact: Artifact) -> AskedUsers:
    """The users that the options name.

    Raises:
        DataError: a file cannot be read, or its ids or ratings are not such as the version has.
    """
    if config.ratings is not None:
        if artifact.encoder is None:
            raise DataError("--ratings: this version's network takes no new ratings; train one with the default preset")
        data = config.read(config.ratings, (artifact.scale.minimum, artifact.scale.maximum))
        print(data.reading.text())
        return _users_of_ratings(data, artifact)
    if config.users is None:
        return AskedUsers(artifact.user_ids.ids)
    side = Side("users", "user", names.USER, config.user_column)
    reading = Reading(words=artifact.words)
    ids = read_network_ids(config.users, side, config.header, reading).ids.ids
    if reading.warnings:
        print(reading.text())
    if ids.dtype == np.int64 and not artifact.user_ids.integer:  # strings that happen to be digits all through
        ids = np.array([str(one).encode() for one in ids.tolist()])
    return AskedUsers(ids)


def _users_of_ratings(data: RatingsData, artifact: Artifact) -> AskedUsers:
    """The users of new ratings, by their ids. If a user rated a movie twice, the last rating counts."""
    integer = artifact.movie_ids.integer
    if integer and not pd.api.types.is_integer_dtype(data.ratings[MOVIE_ID].dtype):
        item = artifact.words.item
        raise DataError(f"{data.source.name}: the {item} ids are strings; this version has integer {item} ids")
    frame = data.ratings.drop_duplicates([USER_ID, MOVIE_ID], keep="last")
    ids, index = index_ids(frame[USER_ID])
    order = np.argsort(index, kind="stable")
    offsets = np.concatenate(([0], np.cumsum(np.bincount(index, minlength=len(ids)))))
    movies = _movie_ids(frame[MOVIE_ID].iloc[order], integer)
    return AskedUsers(ids, SentRatings(offsets, movies, frame[RATING].to_numpy(dtype=np.float32)[order]))


def _movie_ids(column: pd.Series, integer: bool) -> np.ndarray:
    if integer:
        return column.to_numpy(dtype=np.int64)
    return np.array([str(one).encode() for one in column])


def _raw(ids: np.ndarray) -> list[Any]:
    """Raw ids as Python has them."""
    return ids.tolist() if ids.dtype == np.int64 else [one.decode() for one in ids.tolist()]
