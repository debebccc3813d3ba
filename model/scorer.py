"""Rows in, ratings out: runs the network. Small enough tower outputs are computed once for all rows and kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor

from model.artifact import Artifact
from model.compiled_head import find_compiled_head
from model.network import TowerNetwork

# A tower's output is computed once for all rows if it is at most this large; else for each request.
TOWER_CACHE_MIB = 64
# Users in one tile when many users are rated with many movies. The tile's number of movies makes it one chunk large.
_TILE_USERS = 16
# A tile of the sketch is this many chunks large, because the sketch has no hidden layers.
_SKETCH_CHUNKS = 16
# Pairs per forward pass; this limits the memory of one call. On a CPU, the hidden layers of this many pairs stay in the
# cache, which more than halves the time to rate a whole catalogue. A GPU is fastest with all pairs at once.
CHUNK_PAIRS = {"cpu": 4_096, "cuda": 1_048_576}

Tower = Callable[[Tensor], Tensor]
Head = Callable[[Tensor, Tensor], Tensor]


class Scorer:
    """Rates pairs of rows on the device of the artifact's network."""

    def __init__(self, artifact: Artifact, device: str = "cpu") -> None:
        self._scale = artifact.scale
        self.device = torch.device(device)
        self._chunk = CHUNK_PAIRS[self.device.type]
        # After an index out of range, a process cannot use the GPU any more. On a CPU, torch itself raises.
        self.checks_rows = self.device.type != "cpu"
        self._last_user = artifact.user_ids.unknown
        self._last_movie = artifact.movie_ids.unknown
        network = cast(TowerNetwork, artifact.network)
        self.head = network.head
        self._compiled = None if self.checks_rows else find_compiled_head(network, artifact.compiled_head)
        self._encoder = artifact.encoder
        self.can_encode = self._encoder is not None
        self._sketch: Head | None = getattr(network, "sketch", None)
        self.can_sketch = self._sketch is not None
        with torch.inference_mode():
            # An explanation follows a rating back to the user's vector. The towers of an adopted network may give rows.
            first_row = torch.zeros(1, dtype=torch.int64, device=self.device)
            self.has_vectors = network.user_tower(first_row).is_floating_point()
            self.user_tower = self._keep(network.user_tower, self._last_user + 1)
            self.movie_tower = self._keep(network.movie_tower, self._last_movie + 1)

    def rate(self, user_index: np.ndarray, movie_index: np.ndarray, fold_ins: Sequence[Tensor] = ()) -> np.ndarray:
        """Ratings of pairs of rows: two (B,) integer arrays -> (B,) float64, in rating units.

        `fold_ins` are vectors (W,) of fold-in users: the first has the row after the unknown user's.

        Raises:
            IndexError: a row lies outside the table.
        """
        if self._compiled is not None:
            return self._to_rating(self._compiled.units(user_index, movie_index, fold_ins))
        self._check(user_index, movie_index, fold_ins)
        with torch.inference_mode():
            if len(user_index) <= self._chunk:
                units = self._units(user_index, movie_index, fold_ins)
            else:
                starts = range(0, len(user_index), self._chunk)
                parts = (slice(start, start + self._chunk) for start in starts)
                units = np.concatenate([self._units(user_index[part], movie_index[part], fold_ins) for part in parts])
        return self._to_rating(units)

    def rate_all(self, user_index: np.ndarray, movie_index: np.ndarray, fold_ins: Sequence[Tensor] = ()) -> np.ndarray:
        """Ratings (N, M) float64 of every user row (N,) with every movie row (M,), in rating units; see `rate`."""
        if self._compiled is not None:
            return self._to_rating(self._compiled.units_of_all(user_index, movie_index, fold_ins))
        return self._to_rating(self._tiled(self.head, user_index, movie_index, fold_ins, self._chunk))

    def sketch_all(
        self, user_index: np.ndarray, movie_index: np.ndarray, fold_ins: Sequence[Tensor] = ()
    ) -> np.ndarray:
        """Approximates `rate_all`: (N, M) float32 unit scores, by a few matrix products.

        Raises:
            NotImplementedError: the network has no `sketch`.
        """
        if self._sketch is None:
            raise NotImplementedError("this model's network has no sketch: use rate_all")
        return self._tiled(self._sketch, user_index, movie_index, fold_ins, _SKETCH_CHUNKS * self._chunk)

    def _tiled(
        self, head: Head, user_index: np.ndarray, movie_index: np.ndarray, fold_ins: Sequence[Tensor], pairs: int
    ) -> np.ndarray:
        """The head's scores of all pairs, (N, M), computed in tiles that fit into the processor's cache."""
        self._check(user_index, movie_index, fold_ins)
        found = np.empty((len(user_index), len(movie_index)), dtype=np.float32)
        width = pairs // _TILE_USERS
        with torch.inference_mode():
            users = self._users(user_index, fold_ins).unsqueeze(1)
            for left in range(0, len(movie_index), width):
                movies = self.movie_tower(self._tensor(movie_index[left : left + width])).unsqueeze(0)
                for top in range(0, len(user_index), _TILE_USERS):
                    tile = head(users[top : top + _TILE_USERS], movies)
                    found[top : top + _TILE_USERS, left : left + width] = tile.cpu().numpy()
        return found

    def encode(self, movie_index: np.ndarray, ratings: np.ndarray) -> Tensor:
        """The vector (W,) of a fold-in user, from R ratings (R,), in rating units, of movies (R,).

        Raises:
            NotImplementedError: the network has no encoder.
        """
        return self.encode_many(np.zeros(len(movie_index)), movie_index, ratings, 1)[0]

    def encode_many(self, owner: np.ndarray, movie_index: np.ndarray, ratings: np.ndarray, number: int) -> Tensor:
        """Vectors (number, W) of fold-in users, from R ratings (R,) of movies (R,), in rating units.

        `owner` (R,): the user of each rating, 0..number-1.

        Raises:
            IndexError: a row lies outside its table.
            NotImplementedError: the network has no encoder.
        """
        if self._encoder is None:
            raise NotImplementedError(
                "this model cannot take new ratings: its network has no encoder; train a model with one"
            )
        _check_rows(owner, number - 1)  # on any device: TorchScript would raise an error of another type
        _check_rows(movie_index, self._last_movie)
        with torch.inference_mode():
            owners = self._tensor(owner.astype(np.int64))
            movies = self._tensor(movie_index.astype(np.int64))
            return self._encoder.encode_users(owners, movies, self._tensor(ratings.astype(np.float32)), number)

    @property
    def head_name(self) -> str:
        """The name of what computes the head, for the log."""
        return "TorchScript" if self._compiled is None else "machine code"

    def _to_rating(self, units: np.ndarray) -> np.ndarray:
        return self._scale.to_rating(units.astype(np.float64))

    def _units(self, user_index: np.ndarray, movie_index: np.ndarray, fold_ins: Sequence[Tensor]) -> np.ndarray:
        """One forward pass: rows -> unit scores (B,) float32."""
        user = self._users(user_index, fold_ins)
        units: np.ndarray = self.head(user, self.movie_tower(self._tensor(movie_index))).cpu().numpy()
        return units

    def _users(self, rows: np.ndarray, fold_ins: Sequence[Tensor]) -> Tensor:
        if not fold_ins:
            return self.user_tower(self._tensor(rows))
        users = self.user_tower(self._tensor(np.minimum(rows, self._last_user)))
        places = np.flatnonzero(rows > self._last_user)
        table = torch.stack(list(fold_ins))
        users[self._tensor(places)] = table[self._tensor(rows[places] - self._last_user - 1)]
        return users

    def _check(self, user_index: np.ndarray, movie_index: np.ndarray, fold_ins: Sequence[Tensor]) -> None:
        if self.checks_rows:
            _check_rows(user_index, self._last_user + len(fold_ins))
            _check_rows(movie_index, self._last_movie)

    def _tensor(self, values: np.ndarray) -> Tensor:
        return torch.from_numpy(values).to(self.device)

    def _keep(self, tower: Tower, rows: int) -> Tower:
        width = tower(torch.zeros(1, dtype=torch.int64, device=self.device)).shape[1]
        if rows * width * 4 > TOWER_CACHE_MIB * 2**20:
            return lambda index: tower(index.long())  # a network expects int64, an IdMap may give int32
        table = tower(torch.arange(rows, device=self.device))
        return lambda index: table.index_select(0, index)


def _check_rows(rows: np.ndarray, last: int) -> None:
    if len(rows) and not (rows.min() >= 0 and rows.max() <= last):
        raise IndexError(f"row outside 0..{last}")
