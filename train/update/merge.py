"""Merges an artifact's ratings and ids with new ones.

Ids are in ascending order, so a new id shifts the rows of all ids after it. Everything stored by row must shift too.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from model.artifact import Artifact
from model.catalogue import Catalogue
from model.events import EventHistory
from model.history import History
from model.ids import IdMap
from train.dataset.data import MOVIE_ID, RATING, USER_ID, RatingsData, index_ids
from train.dataset.tensors import Ratings
from train.errors import DataError
from train.output import build_catalogue
from train.update.grow_history import grow_history


@dataclass(frozen=True)
class Merged:
    """An artifact's ratings and new ones, with the rows of merged id maps.

    history: everybody's ratings: of each user the artifact's, then the new ones. num_old: (U,) how many are the
    artifact's. new: the new ratings, as the data has them.
    events: of all users, with the same rows. old_events: the artifact's own events.
    user_rows, movie_rows: (U,) and (M,) int64, the new place of each of the artifact's rows, without the unknown row.
    """

    history: History
    num_old: np.ndarray
    new: Ratings
    events: EventHistory
    old_events: EventHistory
    user_ids: IdMap
    movie_ids: IdMap
    user_rows: Tensor
    movie_rows: Tensor

    @property
    def num_new_events(self) -> int:
        """How many events the artifact does not have."""
        return len(self.events.movie_index) - len(self.old_events.movie_index)

    @property
    def everybody(self) -> np.ndarray:
        """The rows of all users."""
        return np.arange(len(self.user_ids))

    def repeated_pairs(self) -> int:
        """How many new ratings have a pair that was rated before, in the artifact or in an earlier row."""
        width = len(self.movie_ids)
        users = torch.unique(self.new.user_index).numpy()
        pairs = torch.unique(self.new.user_index * width + self.new.movie_index).numpy()
        first_rated = 0
        for some in self.history.few_at_once(users):
            owner, places = self.history.places_of(users[some])
            old = places - self.history.offsets[users[some][owner]] < self.num_old[users[some][owner]]
            rated = (users[some][owner] * width + self.history.movie_index[places])[old]
            begin, end = np.searchsorted(pairs, [users[some][0] * width, (users[some][-1] + 1) * width])
            first_rated += len(np.setdiff1d(pairs[begin:end], rated))
        return len(self.new) - first_rated


def merge_ratings(artifact: Artifact, data: RatingsData, folder: Path | None = None) -> Merged:
    """Merges all ratings of the artifact and of the data. A pair that is rated again is kept twice, as in training.

    folder: for the history, which is mapped; None is the system's temporary folder.

    Raises:
        DataError: the data's ids have another type than the artifact's.
        OSError: the disk is full.
    """
    frame = data.ratings
    check_types(artifact, data)
    movie_ids = _union(artifact.movie_ids, frame[MOVIE_ID])
    added = _events_of(movie_ids, data)
    user_ids = _union(artifact.user_ids, pd.concat([frame[USER_ID], added[USER_ID]]))
    user_rows = np.searchsorted(user_ids.ids, artifact.user_ids.ids)
    movie_rows = np.searchsorted(movie_ids.ids, artifact.movie_ids.ids)
    new = Ratings(
        torch.from_numpy(_rows(user_ids, frame[USER_ID]).astype(np.int64)),
        torch.from_numpy(_rows(movie_ids, frame[MOVIE_ID]).astype(np.int64)),
        torch.from_numpy(np.array(frame[RATING], dtype=np.float32)),
    )
    num_old = np.zeros(len(user_ids), dtype=np.int64)
    num_old[user_rows] = np.diff(artifact.history.offsets)
    history = grow_history(artifact.history, num_old, new, user_rows, movie_rows, folder)
    old = user_rows[artifact.events.owners], movie_rows[artifact.events.movie_index]
    all_users = np.append(old[0], _rows(user_ids, added[USER_ID]))
    all_movies = np.append(old[1], _rows(movie_ids, added[MOVIE_ID]))
    return Merged(
        history=history,
        num_old=num_old,
        new=new,
        events=EventHistory.from_pairs(all_users, all_movies, history),
        old_events=EventHistory.from_pairs(*old, history),
        user_ids=user_ids,
        movie_ids=movie_ids,
        user_rows=torch.from_numpy(user_rows),
        movie_rows=torch.from_numpy(movie_rows),
    )


def _events_of(movie_ids: IdMap, data: RatingsData) -> pd.DataFrame:
    """The data's events of movies that the merged ids have; an event of another movie makes nobody known."""
    if data.events is None:
        return data.ratings[[USER_ID, MOVIE_ID]].iloc[:0]
    known = _rows(movie_ids, data.events.frame[MOVIE_ID]) != movie_ids.unknown
    found: pd.DataFrame = data.events.frame[known]
    return found


def merge_catalogues(known: Catalogue, movies: pd.DataFrame | None, merged: Merged) -> Catalogue:
    """The artifact's facts, plus the data's facts about new movies; `None` for a fact that neither has."""
    if movies is not None and not merged.movie_ids.integer:
        movies = movies.assign(**{MOVIE_ID: movies[MOVIE_ID].astype(str)})
    told = build_catalogue(movies, merged.movie_ids)
    columns: dict[str, list[Any]] = {}
    for name in [*known.columns, *(name for name in told.columns if name not in known.columns)]:
        values = list(told.columns.get(name, [None] * len(merged.movie_ids)))
        if name in known.columns:
            for row, value in zip(merged.movie_rows.tolist(), known.columns[name], strict=True):
                values[row] = value
        columns[name] = values
    return Catalogue(columns, len(merged.movie_ids))


def check_types(artifact: Artifact, data: RatingsData) -> None:
    """Raises DataError if the data has strings and the artifact has integers."""
    for known, name in ((artifact.user_ids, USER_ID), (artifact.movie_ids, MOVIE_ID)):
        if known.integer and not pd.api.types.is_integer_dtype(data.ratings[name].dtype):
            raise DataError(f"{data.source.name}: {name} holds strings; the version to update has integers there")


def _union(known: IdMap, column: pd.Series) -> IdMap:
    ids, _ = index_ids(column)
    if not known.integer and ids.dtype == np.int64:  # string ids that all look like integers in this file
        ids = np.array([str(one).encode() for one in ids.tolist()])
    return IdMap(np.union1d(known.ids, ids))


def _rows(ids: IdMap, column: pd.Series) -> np.ndarray:
    return ids.rows(column.to_numpy(dtype=np.int64) if ids.integer else column.astype(str).tolist())
