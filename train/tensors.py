"""From frames to tensors: ratings as rows of the tables, and the id maps that say whose rows they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from model.ids import IdMap
from train.data import MOVIE_ID, RATING, USER_ID, index_ids


@dataclass(frozen=True)
class Ratings:
    """N ratings: user_index and movie_index (N,) int64 rows, rating (N,) float32 in rating units."""

    user_index: Tensor
    movie_index: Tensor
    rating: Tensor

    def __len__(self) -> int:
        return len(self.rating)

    def take(self, index: Tensor) -> Ratings:
        """The ratings at these positions or under this mask."""
        return Ratings(self.user_index[index], self.movie_index[index], self.rating[index])

    def to(self, device: torch.device) -> Ratings:
        """The same on another device."""
        return Ratings(self.user_index.to(device), self.movie_index.to(device), self.rating.to(device))


def index_ratings(frame: pd.DataFrame) -> tuple[Ratings, IdMap, IdMap]:
    """Ratings with rows for exactly the users and movies that occur in `frame`, and the two maps."""
    user_ids, user_index = index_ids(frame[USER_ID])
    movie_ids, movie_index = index_ids(frame[MOVIE_ID])
    ratings = _ratings(user_index, movie_index, frame)
    return ratings, IdMap(user_ids), IdMap(movie_ids)


def look_up_ratings(frame: pd.DataFrame, user_ids: IdMap, movie_ids: IdMap) -> Ratings:
    """Ratings of `frame` under given maps; users and movies that the maps lack get the unknown row."""
    users = user_ids.rows(_raw(frame[USER_ID]))
    return _ratings(users, movie_ids.rows(_raw(frame[MOVIE_ID])), frame)


def _ratings(user_index: np.ndarray, movie_index: np.ndarray, frame: pd.DataFrame) -> Ratings:
    rating = torch.from_numpy(frame[RATING].to_numpy(dtype=np.float32))
    return Ratings(torch.from_numpy(user_index), torch.from_numpy(movie_index), rating)


def _raw(column: pd.Series) -> np.ndarray | list[str]:
    if pd.api.types.is_integer_dtype(column.dtype):
        return column.to_numpy(dtype=np.int64)
    return column.tolist()
