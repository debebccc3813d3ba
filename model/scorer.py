"""Rows in, ratings out: the network, with what of it can be computed once already computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor

from model.artifact import Artifact
from model.network import TowerNetwork

# A side's tower is computed once for all its rows where the result is at most this large; else per request.
TOWER_CACHE_MIB = 64
# Pairs per forward: bounds the memory of one call. On a CPU the hidden layers of this many stay in its cache, which
# more than halves the time of a look through a catalogue; a GPU wants as many as there are.
CHUNK_PAIRS = {"cpu": 4_096, "cuda": 1_048_576}

Tower = Callable[[Tensor], Tensor]


class Scorer:
    """Rates pairs of rows on the device where the artifact's network lies."""

    def __init__(self, artifact: Artifact, device: str = "cpu") -> None:
        self._scale = artifact.scale
        self.device = torch.device(device)
        self._chunk = CHUNK_PAIRS[self.device.type]
        # An index out of range on a GPU would leave its process useless; on a CPU, torch itself raises.
        self.checks_rows = self.device.type != "cpu"
        self._last_user = artifact.user_ids.unknown
        self._last_movie = artifact.movie_ids.unknown
        network = cast(TowerNetwork, artifact.network)
        self.head = network.head
        self._encode_users: Callable[..., Tensor] | None = getattr(network, "encode_users", None)
        self.can_encode = self._encode_users is not None
        with torch.inference_mode():
            self.user_tower = self._keep(network.user_tower, self._last_user + 1)
            self.movie_tower = self._keep(network.movie_tower, self._last_movie + 1)

    def rate(self, user_index: np.ndarray, movie_index: np.ndarray, guests: Sequence[Tensor] = ()) -> np.ndarray:
        """Ratings of pairs of rows: two (B,) integer arrays -> (B,) float64, in rating units.

        `guests` are vectors (W,) of users who have no row: the first has the row after the unknown user's.

        Raises:
            IndexError: a row lies outside the table.
        """
        if self.checks_rows:
            _check_rows(user_index, self._last_user + len(guests))
            _check_rows(movie_index, self._last_movie)
        with torch.inference_mode():
            if len(user_index) <= self._chunk:
                units = self._units(user_index, movie_index, guests)
            else:
                starts = range(0, len(user_index), self._chunk)
                parts = (slice(start, start + self._chunk) for start in starts)
                units = np.concatenate([self._units(user_index[part], movie_index[part], guests) for part in parts])
        return self._scale.to_rating(units.astype(np.float64))

    def encode(self, movie_index: np.ndarray, ratings: np.ndarray) -> Tensor:
        """The vector (W,) of a user known by R ratings, in rating units, of movies (R,): what `guests` of `rate` are.

        Raises:
            NotImplementedError: the network has no encoder.
        """
        return self.encode_many(np.zeros(len(movie_index)), movie_index, ratings, 1)[0]

    def encode_many(self, owner: np.ndarray, movie_index: np.ndarray, ratings: np.ndarray, number: int) -> Tensor:
        """Vectors (number, W) of users known by R ratings (R,) of movies (R,), each its owner's, 0..number-1.

        Raises:
            NotImplementedError: the network has no encoder.
        """
        if self._encode_users is None:
            raise NotImplementedError("this model cannot take new ratings in: its network has no encoder")
        with torch.inference_mode():
            rows = (self._tensor(rows.astype(np.int64)) for rows in (owner, movie_index))
            return self._encode_users(*rows, torch.from_numpy(ratings.astype(np.float32)).to(self.device), number)

    def _units(self, user_index: np.ndarray, movie_index: np.ndarray, guests: Sequence[Tensor]) -> np.ndarray:
        """One forward: rows -> unit scores (B,) float32."""
        user = self._users(user_index, guests)
        units: np.ndarray = self.head(user, self.movie_tower(self._tensor(movie_index))).cpu().numpy()
        return units

    def _users(self, rows: np.ndarray, guests: Sequence[Tensor]) -> Tensor:
        if not guests:
            return self.user_tower(self._tensor(rows))
        users = self.user_tower(self._tensor(np.minimum(rows, self._last_user)))
        places = np.flatnonzero(rows > self._last_user)
        table = torch.stack(list(guests))
        users[self._tensor(places)] = table[self._tensor(rows[places] - self._last_user - 1)]
        return users

    def _tensor(self, rows: np.ndarray) -> Tensor:
        return torch.from_numpy(rows).to(self.device)

    def _keep(self, tower: Tower, rows: int) -> Tower:
        width = tower(torch.zeros(1, dtype=torch.int64, device=self.device)).shape[1]
        if rows * width * 4 > TOWER_CACHE_MIB * 2**20:
            return lambda index: tower(index.long())  # a network is promised int64, an IdMap may give int32
        table = tower(torch.arange(rows, device=self.device))
        return lambda index: table.index_select(0, index)


def _check_rows(rows: np.ndarray, last: int) -> None:
    if len(rows) and not (rows.min() >= 0 and rows.max() <= last):
        raise IndexError(f"row outside 0..{last}")
