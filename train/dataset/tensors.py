"""From frames to tensors: ratings as rows of the tables, and the maps from ids to rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from model.ids import IdMap
from train.dataset.data import MOVIE_ID, RATING, TIME, USER_ID, index_ids
from train.dataset.features import movie_features, raw_ids


@dataclass(frozen=True)
class Ratings:
    """N ratings.

    user_index, movie_index: (N,) int64 rows. rating: (N,) float32, in rating units.
    time: (N,) float64, seconds since 1970; None if the data has no times.
    """

    user_index: Tensor
    movie_index: Tensor
    rating: Tensor
    time: Tensor | None = None

    def __len__(self) -> int:
        return len(self.rating)

    def take(self, index: Tensor) -> Ratings:
        """The ratings at these positions, or where this mask is true."""
        time = None if self.time is None else self.time[index]
        return Ratings(self.user_index[index], self.movie_index[index], self.rating[index], time)

    def to(self, device: torch.device) -> Ratings:
        """A copy on another device."""
        time = None if self.time is None else self.time.to(device)
        return Ratings(self.user_index.to(device), self.movie_index.to(device), self.rating.to(device), time)


@dataclass(frozen=True)
class Events:
    """N events with movies that have rows.

    user_index: (N,) int64 rows; the user new_users[k], who has no ratings, is number num_users + 1 + k, since num_users
        is the unknown user. movie_index: (N,) int64 rows.
    time: (N,) float64, seconds since 1970; None if the file has no times.
    new_users: (K,) raw ids of the users without ratings, ascending: int64, or bytes that hold UTF-8.
    """

    user_index: Tensor
    movie_index: Tensor
    time: Tensor | None = None
    new_users: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def without(self, ratings: Ratings) -> Events:
        """The events without those whose user and movie also occur together in these ratings."""
        movies = 1 + int(max(one.max() if len(one) else 0 for one in (self.movie_index, ratings.movie_index)))
        own, others = (one.user_index * movies + one.movie_index for one in (self, ratings))
        kept = ~torch.isin(own, others)
        time = None if self.time is None else self.time[kept]
        return Events(self.user_index[kept], self.movie_index[kept], time, self.new_users)


@dataclass(frozen=True)
class TrainingSet:
    """Ratings, the maps from ids to rows, the features of each movie, and events.

    features: (len(movie_ids), D) float32, or None; see train/dataset/features.py. If there are features, movies of the
    catalogue without ratings have rows too.
    """

    ratings: Ratings
    user_ids: IdMap
    movie_ids: IdMap
    features: Tensor | None = None
    events: Events | None = None

    def without_events_of(self, ratings: Ratings) -> TrainingSet:
        """A copy without events of the same pairs as these held-out ratings, because such events would reveal them."""
        return self if self.events is None else replace(self, events=self.events.without(ratings))


def index_ratings(frame: pd.DataFrame, catalogue: pd.DataFrame | None = None) -> TrainingSet:
    """Makes ratings with rows for exactly the users and movies in `frame`.

    If a catalogue (as in `RatingsData`) has usable facts, its movies have rows as well.
    """
    user_ids, user_index = index_ids(frame[USER_ID])
    if catalogue is not None:
        movie_ids, movie_index = index_ids(pd.concat([frame[MOVIE_ID], catalogue[MOVIE_ID]], ignore_index=True))
        movie_index = movie_index[: len(frame)]
        features = movie_features(catalogue, IdMap(movie_ids), np.unique(movie_index))
        if features is not None:
            return TrainingSet(_ratings(user_index, movie_index, frame), IdMap(user_ids), IdMap(movie_ids), features)
    movie_ids, movie_index = index_ids(frame[MOVIE_ID])
    return TrainingSet(_ratings(user_index, movie_index, frame), IdMap(user_ids), IdMap(movie_ids))


def look_up_events(frame: pd.DataFrame, user_ids: IdMap, movie_ids: IdMap) -> Events:
    """The events of `frame` with the rows of these maps, without events of movies that the maps lack."""
    movies = movie_ids.rows(raw_ids(frame[MOVIE_ID]))
    known = movies != movie_ids.unknown
    frame = frame[known]
    users = user_ids.rows(raw_ids(frame[USER_ID]))
    is_new = users == user_ids.unknown
    new_users, number = index_ids(frame[USER_ID][is_new])
    users = users.astype(np.int64)
    users[is_new] = len(user_ids) + 1 + number
    time = torch.from_numpy(np.array(frame[TIME], dtype=np.float64)) if TIME in frame else None
    return Events(torch.from_numpy(users), torch.from_numpy(movies[known]), time, new_users)


def look_up_ratings(frame: pd.DataFrame, user_ids: IdMap, movie_ids: IdMap) -> Ratings:
    """The ratings of `frame` with the rows of these maps; ids that the maps lack get the unknown row."""
    users = user_ids.rows(raw_ids(frame[USER_ID]))
    return _ratings(users, movie_ids.rows(raw_ids(frame[MOVIE_ID])), frame)


def _ratings(user_index: np.ndarray, movie_index: np.ndarray, frame: pd.DataFrame) -> Ratings:
    rating = torch.from_numpy(np.array(frame[RATING], dtype=np.float32))  # the frame's array may be read-only
    time = torch.from_numpy(np.array(frame[TIME], dtype=np.float64)) if TIME in frame else None
    return Ratings(torch.from_numpy(user_index), torch.from_numpy(movie_index), rating, time)
