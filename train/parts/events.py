"""Events by parts: clicks, views or purchases without ratings. The first process reads the file, and has them all.

The interest part learns from those of the sampled users. The artifact keeps those of every user, and users who have
events and no ratings are known by them, with the row of a user without ratings.

Shapes: E events of movies that have rows, U different users of these.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from model.distinct import distinct
from model.events import EventHistory
from model.history import History
from model.ids import IdMap
from train.dataset.data import MOVIE_ID, TIME, USER_ID, index_ids
from train.dataset.features import raw_ids
from train.dataset.figures import describe_events
from train.dataset.hashes import id_hashes
from train.dataset.reading import Reading
from train.dataset.tensors import Events
from train.parts.config import PartsConfig
from train.parts.load import sampled_users
from train.readers.events import KnownIds, load_events
from train.readers.rules import IdType


@dataclass(frozen=True)
class UserEvents:
    """Events of a file: all of them, or those of sampled users.

    users: (U,) raw ids, ascending: int64, or bytes that hold UTF-8. owner: (E,) places in users. movie: (E,) rows.
    time: (E,) float64, seconds since 1970; None if the file has no times.
    figures: what metrics.json tells of them. reading: what was understood.
    """

    users: np.ndarray
    owner: np.ndarray
    movie: np.ndarray
    time: np.ndarray | None
    figures: dict[str, Any]
    reading: Reading

    def of_sampled(self, ratings: int, config: PartsConfig) -> UserEvents:
        """Those of the sampled users, with ratings or without. ratings: number of all."""
        sampled = sampled_users(id_hashes(self.users), ratings, config)
        kept = sampled[self.owner]
        place = (np.cumsum(sampled, dtype=np.int32) - 1)[self.owner[kept]]
        time = None if self.time is None else self.time[kept]
        return replace(self, users=self.users[sampled], owner=place, movie=self.movie[kept], time=time)

    def of_users(self, user_ids: IdMap) -> Events:
        """The same with the rows of these users; others are users without ratings."""
        place = np.minimum(np.searchsorted(user_ids.ids, self.users), len(user_ids) - 1)
        is_new = user_ids.ids[place] != self.users
        place[is_new] = len(user_ids) + 1 + np.arange(np.count_nonzero(is_new))
        user, movie = (torch.from_numpy(one.astype(np.int64)) for one in (place[self.owner], self.movie))
        time = None if self.time is None else torch.from_numpy(self.time)
        return Events(user, movie, time, self.users[is_new])

    def pairs(self, user_ids: np.ndarray, num_movies: int) -> EventPairs:
        """Every user's; user_ids (N,), ascending, has all users of events."""
        user = np.searchsorted(user_ids, self.users)[self.owner]
        pair = distinct(user * num_movies + self.movie)
        return EventPairs(pair, np.ones(len(pair), dtype=np.bool_), num_movies)


@dataclass(frozen=True)
class EventPairs:
    """Different pairs of user and movie. pair: (P,) row of user * num_movies + row of movie, ascending. kept: (P,)."""

    pair: np.ndarray
    kept: np.ndarray
    num_movies: int

    def hide(self, user: np.ndarray, movie: np.ndarray) -> None:
        """Leaves out these pairs of rows (H,): of held-out ratings, which events would reveal."""
        wanted = user * self.num_movies + movie
        place = np.minimum(np.searchsorted(self.pair, wanted), len(self.pair) - 1)
        self.kept[place[self.pair[place] == wanted]] = False

    def history(self, rated: History) -> EventHistory:
        """The pairs that are left, without those of rated movies."""
        pair = self.pair[self.kept]
        return EventHistory.from_pairs(pair // self.num_movies, pair % self.num_movies, rated)


def read_events(config: PartsConfig, user_ids: IdMap, movie_ids: IdMap, source: str) -> UserEvents:
    """Reads the file that `config` names. user_ids: of some users. source: of the ratings, for errors.

    Raises:
        DataError: it cannot be read, or has no movie that has a row.
    """
    assert config.events is not None
    reading = Reading(words=config.words)
    known = KnownIds(_type_of(user_ids), _type_of(movie_ids), movie_ids.raw(np.arange(len(movie_ids))), source)
    data = load_events(config.events, known, config.skip_bad_lines, reading)
    rows = movie_ids.rows(raw_ids(data.frame[MOVIE_ID]))
    counts = rows != movie_ids.unknown
    ids, owner = index_ids(data.frame[USER_ID][counts])
    time = np.array(data.frame[TIME][counts], dtype=np.float64) if TIME in data.frame else None
    return UserEvents(ids, owner.astype(np.int32), rows[counts].astype(np.int32), time, describe_events(data), reading)


def _type_of(ids: IdMap) -> IdType:
    return "integer" if ids.integer else "string"
