"""The users to make lists for: all users of a version, those of a file, or those of new ratings and events."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from model.artifact import Artifact
from model.asks import BestAsk, Call, FoldInAsk, ServedModel, User
from model.vocabulary import counted
from score.config import ScoreConfig
from train.adopt.id_columns import Side
from train.adopt.id_files import read_network_ids
from train.dataset.data import MOVIE_ID, RATING, USER_ID, index_ids
from train.dataset.reading import Reading
from train.errors import DataError
from train.readers import names
from train.readers.events import load_events
from train.update.config import known_ids


@dataclass(frozen=True)
class Sent:
    """New ratings or events, user by user: those of user u stand at `offsets[u]` to `offsets[u + 1]` of the others.

    movie_ids: raw, int64, or bytes that hold UTF-8. ratings: float32, in rating units; None if these are events.
    """

    offsets: np.ndarray
    movie_ids: np.ndarray
    ratings: np.ndarray | None

    def part(self, start: int, end: int) -> Sent:
        """What the users `start` to `end` sent."""
        offsets = self.offsets[start : end + 1]
        own = slice(offsets[0], offsets[-1])
        ratings = None if self.ratings is None else self.ratings[own]
        return Sent(offsets - offsets[0], self.movie_ids[own], ratings)

    def of_user(self, place: int) -> tuple[list[Any], list[float] | None]:
        """Raw movie ids, and ratings; None if there are none."""
        own = slice(*self.offsets[place : place + 2].tolist())
        movies = _raw(self.movie_ids[own])
        return movies, self.ratings[own].tolist() if movies and self.ratings is not None else None


@dataclass(frozen=True)
class AskedUsers:
    """Raw ids, each once: int64, or bytes that hold UTF-8; and the ratings and events sent along, if there are any."""

    ids: np.ndarray
    ratings: Sent | None = None
    events: Sent | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def part(self, start: int, end: int) -> AskedUsers:
        """The users `start` to `end`."""
        end = min(end, len(self))
        sent = (None if one is None else one.part(start, end) for one in (self.ratings, self.events))
        return AskedUsers(self.ids[start:end], *sent)

    def digest(self) -> str:
        """SHA-256 of the ids, the ratings and the events."""
        digest = hashlib.sha256()
        arrays = [self.ids]
        for sent in (self.ratings, self.events):
            arrays += [] if sent is None else [sent.offsets, sent.movie_ids]
            arrays += [] if sent is None or sent.ratings is None else [sent.ratings]
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
        """The users as the model has them, with the ratings and events that are sent along."""
        if self.ratings is None and self.events is None:
            return [model.user_at(row) for row in self.rows(model).tolist()]
        raw = _raw(self.ids) if self._same_type(model) else [None] * len(self)
        found = []
        for place, user_id in enumerate(raw):
            movies, ratings = ([], None) if self.ratings is None else self.ratings.of_user(place)
            events = [] if self.events is None else self.events.of_user(place)[0]
            found.append(FoldInAsk(BestAsk(user_id), movies, ratings, events).fold_in(model, call))
        return found

    def _same_type(self, model: ServedModel) -> bool:
        return (self.ids.dtype == np.int64) == model.user_ids.integer


def asked_users(config: ScoreConfig, artifact: Artifact) -> AskedUsers:
    """The users that the options name.

    Raises:
        DataError: a file cannot be read, or its ids or ratings are not such as the version has.
    """
    if config.ratings is not None or config.events is not None:
        return _users_of_files(config, artifact)
    if config.users is None:
        return AskedUsers(artifact.user_ids.ids)
    side = Side("users", "user", names.USER, config.user_column)
    reading = Reading(words=artifact.words)
    integer = artifact.user_ids.integer
    ids = read_network_ids(config.users, side, config.header, reading, integer, all_rows=True).ids.ids
    if ids.dtype == np.int64 and not integer:  # strings that happen to be digits all through
        ids = np.array([str(one).encode() for one in ids.tolist()])
    rows = artifact.user_ids.rows(ids if integer else _raw(ids))
    if unknown := np.count_nonzero(rows == artifact.user_ids.unknown):
        told = f"{config.users.name}: the version does not know {unknown:,} of its {counted(len(ids), 'user')}"
        reading.warn(f"{told}: these get the most popular {artifact.words.items}")
    if reading.warnings:
        print(reading.text())
    return AskedUsers(ids)


def _users_of_files(config: ScoreConfig, artifact: Artifact) -> AskedUsers:
    """The users of new ratings and events, by their ids."""
    reading = Reading(words=artifact.words)
    ratings = _read_ratings(config, artifact, reading)
    events = _read_events(config, artifact, reading)
    print(reading.text())
    users = [one[USER_ID] for one in (ratings, events) if one is not None]
    ids, place = index_ids(pd.concat(users, ignore_index=True))
    first_event = 0 if ratings is None else len(ratings)
    integer = artifact.movie_ids.integer
    return AskedUsers(
        ids,
        None if ratings is None else _sent(ratings, place[:first_event], len(ids), integer),
        None if events is None else _sent(events, place[first_event:], len(ids), integer),
    )


def _read_ratings(config: ScoreConfig, artifact: Artifact, reading: Reading) -> pd.DataFrame | None:
    """New ratings, if asked for. If a user rated a movie twice, the last rating counts."""
    if config.ratings is None:
        return None
    if artifact.encoder is None:
        raise DataError("--ratings: this version's network takes no new ratings; train one with the default preset")
    data = config.read(config.ratings, (artifact.scale.minimum, artifact.scale.maximum))
    reading.add(data.reading)
    if artifact.movie_ids.integer and not pd.api.types.is_integer_dtype(data.ratings[MOVIE_ID].dtype):
        item = artifact.words.item
        raise DataError(f"{data.source.name}: the {item} ids are strings; this version has integer {item} ids")
    return data.ratings.drop_duplicates([USER_ID, MOVIE_ID], keep="last")


def _read_events(config: ScoreConfig, artifact: Artifact, reading: Reading) -> pd.DataFrame | None:
    """New events, if asked for."""
    if config.events is None:
        return None
    if artifact.interest is None:
        raise DataError("--events: this version has no interest part, which is all that events change")
    known = replace(known_ids(artifact), user_ids=config.user_ids, movie_ids=config.movie_ids)
    return load_events(config.events, known, config.skip_bad_lines, reading).frame


def _sent(frame: pd.DataFrame, user: np.ndarray, num_users: int, integer: bool) -> Sent:
    """Ratings or events, grouped by the user's place (rows,)."""
    order = np.argsort(user, kind="stable")
    offsets = np.concatenate(([0], np.cumsum(np.bincount(user, minlength=num_users))))
    ratings = frame[RATING].to_numpy(dtype=np.float32)[order] if RATING in frame else None
    return Sent(offsets, _movie_ids(frame[MOVIE_ID].iloc[order], integer), ratings)


def _movie_ids(column: pd.Series, integer: bool) -> np.ndarray:
    if integer:
        return column.to_numpy(dtype=np.int64)
    return np.array([str(one).encode() for one in column])


def _raw(ids: np.ndarray) -> list[Any]:
    """Raw ids as Python has them."""
    return ids.tolist() if ids.dtype == np.int64 else [one.decode() for one in ids.tolist()]
