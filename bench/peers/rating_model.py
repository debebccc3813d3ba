"""The model as every peer's adapter uses it: the artifact's TorchScript network, id maps, scale, history and catalogue.

This is what a competent user writes around `torch.jit.load`. All peers share it, so that only the servers differ. It
imports only numpy and torch, because the peers' environments have nothing else of this project.
"""

from __future__ import annotations

import gc
import io
import json
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

ARTIFACT = "NCF_ARTIFACT"
# A table looks up ids if their range is at most this many times their number; otherwise a binary search does.
_TABLE_PER_ID = 16
# The hidden layers of this many pairs fit into a processor's cache.
_CHUNK_PAIRS = 4_096

Ask = dict[str, Any]
Answer = dict[str, Any]


class RatingModel:
    """Answers asks; all pairs of a call go through the network together."""

    def __init__(self, path: Path | None = None) -> None:
        """Reads `path`, or the file that the environment variable NCF_ARTIFACT names."""
        torch.set_num_threads(1)
        names = ("metadata.json", "user_ids", "movie_ids", "history", "catalogue")
        extra: dict[str, Any] = dict.fromkeys(names, "")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._network = torch.jit.load(str(path or os.environ[ARTIFACT]), _extra_files=extra).eval()
        users = np.load(io.BytesIO(extra["user_ids"]), allow_pickle=False)
        self._movies = np.load(io.BytesIO(extra["movie_ids"]), allow_pickle=False)
        self._num_users = len(users)
        self._num_movies = len(self._movies)
        self._find_users = finder(users)
        self._find_movies = finder(self._movies)
        self._movie_ids = self._movies.tolist()
        self._all_movies = torch.arange(self._num_movies)
        self._minimum, self._maximum = json.loads(extra["metadata.json"])["rating_scale"]
        with np.load(io.BytesIO(extra["history"]), allow_pickle=False) as history:
            self._offsets = [*history["offsets"].tolist(), len(history["movie_index"])]
            self._seen = torch.from_numpy(history["movie_index"].astype(np.int64))
        self._facts = _facts(json.loads(extra["catalogue"]), self._num_movies)
        gc.collect()
        gc.freeze()  # otherwise every full collection scans all of torch, which takes a tenth of a second

    def answer(self, asks: Sequence[Ask]) -> list[Answer]:
        """One answer for each ask: a pair, columns of pairs (a list in each field), or the `top_k` best of all movies.

        The ratings of columns are an array, because orjson writes an array faster than a list, and with fewer digits.
        """
        rated = self._rate_asks([ask for ask in asks if "top_k" not in ask])
        best = self._best_of([ask for ask in asks if "top_k" in ask])
        return [next(best if "top_k" in ask else rated) for ask in asks]

    def rate(self, user_ids: np.ndarray, movie_ids: np.ndarray) -> np.ndarray:
        """Ratings (B,) float32 of two int64 arrays (B,) of raw ids."""
        return self._rate_rows(self._find_users(user_ids), self._find_movies(movie_ids))

    def best(self, user_ids: np.ndarray, top_k: int) -> tuple[np.ndarray, np.ndarray]:
        """The `top_k` best movies that each of (B,) users has not rated: raw ids and ratings, both (B, top_k)."""
        ratings, movies = self._top(torch.from_numpy(self._find_users(user_ids)), top_k)
        return self._movies[movies.numpy()], ratings.numpy()

    def _rate_asks(self, asks: Sequence[Ask]) -> Iterator[Answer]:
        if not asks:
            return
        users: list[int] = []
        movies: list[int] = []
        for ask in asks:
            if isinstance(ask["user_id"], list):
                users += ask["user_id"]
                movies += ask["movie_id"]
            else:
                users.append(ask["user_id"])
                movies.append(ask["movie_id"])
        user_rows = self._find_users(np.array(users))
        movie_rows = self._find_movies(np.array(movies))
        ratings = self._rate_rows(user_rows, movie_rows)
        start = 0
        for ask in asks:
            if isinstance(ask["user_id"], list):
                end = start + len(ask["user_id"])
                yield {"rating": ratings[start:end]}
                start = end
            else:
                answer = {**ask, "rating": round(float(ratings[start]), 6)}
                if unknown := self._unknown(user_rows[start], movie_rows[start]):
                    answer["unknown"] = unknown
                yield answer
                start += 1

    def _unknown(self, user_row: int, movie_row: int) -> list[str]:
        """The fields whose id the model does not know: their row is the one after the last."""
        unknown = []
        if user_row == self._num_users:
            unknown.append("user_id")
        if movie_row == self._num_movies:
            unknown.append("movie_id")
        return unknown

    def _best_of(self, asks: Sequence[Ask]) -> Iterator[Answer]:
        if not asks:
            return
        users = self._find_users(np.array([ask["user_id"] for ask in asks]))
        ratings, movies = self._top(torch.from_numpy(users), max(ask["top_k"] for ask in asks))
        for ask, scores, rows in zip(asks, short(ratings.numpy()), movies.tolist(), strict=True):
            lines = [
                {"movie_id": self._movie_ids[row], "rating": score, **self._facts[row]}
                for score, row in zip(scores[: ask["top_k"]], rows, strict=False)
            ]
            yield {"user_id": ask["user_id"], "recommendations": lines}

    def _rate_rows(self, users: np.ndarray, movies: np.ndarray) -> np.ndarray:
        user_parts = torch.from_numpy(users).split(_CHUNK_PAIRS)
        movie_parts = torch.from_numpy(movies).split(_CHUNK_PAIRS)
        return torch.cat([self._score(*part) for part in zip(user_parts, movie_parts, strict=True)]).numpy()

    @torch.inference_mode()
    def _score(self, users: Tensor, movies: Tensor) -> Tensor:
        unit: Tensor = self._network(users, movies)
        ratings: Tensor = self._minimum + unit * (self._maximum - self._minimum)
        return ratings

    @torch.inference_mode()
    def _top(self, users: Tensor, top_k: int) -> tuple[Tensor, Tensor]:
        number = self._num_movies
        parts = users.split(max(1, _CHUNK_PAIRS // number))
        scores = [self._score(part.repeat_interleave(number), self._all_movies.repeat(len(part))) for part in parts]
        ratings = torch.cat(scores).view(len(users), number)
        for place, user in enumerate(users.tolist()):
            ratings[place, self._seen[self._offsets[user] : self._offsets[user + 1]]] = -torch.inf
        return tuple(ratings.topk(top_k))  # type: ignore[return-value]


def short(ratings: np.ndarray) -> Any:
    """The ratings as lists of floats with six decimals, the precision of a float32: 9.73 for 9.729999542236328."""
    return ratings.astype(np.float64).round(6).tolist()


def finder(ids: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """A function from raw ids (B,) int64 to rows in the ascending `ids`; an unknown id has the row after the last."""
    unknown = len(ids)
    first = int(ids[0])
    last = int(ids[-1])
    if last - first >= _TABLE_PER_ID * unknown:

        def search(wanted: np.ndarray) -> np.ndarray:
            rows = np.searchsorted(ids, wanted)
            known = ids[np.minimum(rows, unknown - 1)] == wanted
            return np.where(known, rows, unknown)

        return search
    # The first entry is for all ids below the range, the last one for all ids above it.
    table = np.full(last - first + 3, unknown)
    table[ids - first + 1] = np.arange(unknown)
    return lambda wanted: table.take(np.minimum(np.maximum(wanted, first - 1), last + 1) - (first - 1))


def _facts(catalogue: dict[str, list[Any]], number: int) -> list[dict[str, Any]]:
    """The title and genres of each movie, if the catalogue has them."""
    shown = [name for name in ("title", "genres") if name in catalogue]
    return [{name: catalogue[name][row] for name in shown if catalogue[name][row] is not None} for row in range(number)]
