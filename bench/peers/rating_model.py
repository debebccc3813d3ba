"""The model as every peer's adapter loads it: the artifact's TorchScript network, its id maps, scale and history.

What a competent user writes around `torch.jit.load`, the same for all peers, so that what differs is the server. It
imports numpy and torch alone: each peer's environment has those, and nothing of this project.
"""

from __future__ import annotations

import gc
import io
import json
import os
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

ARTIFACT = "NCF_ARTIFACT"
# Ids of a range at most so many times their number are looked up in a table, others by binary search.
_TABLE_PER_ID = 16
# The hidden layers of so many pairs stay in a processor's cache.
_CHUNK_PAIRS = 4_096


class RatingModel:
    """Answers asks; all of a call's pairs go through the network together."""

    def __init__(self, path: Path | None = None) -> None:
        """Reads `path`, or the file that the environment variable NCF_ARTIFACT names."""
        torch.set_num_threads(1)
        names = ("metadata.json", "user_ids", "movie_ids", "history", "catalogue")
        extra: dict[str, Any] = dict.fromkeys(names, "")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._network = torch.jit.load(str(path or os.environ[ARTIFACT]), _extra_files=extra).eval()
        self._users, self._movies = (
            np.load(io.BytesIO(extra[name]), allow_pickle=False) for name in ("user_ids", "movie_ids")
        )
        self._find_users, self._find_movies = finder(self._users), finder(self._movies)
        self._user_rows = {raw: row for row, raw in enumerate(self._users.tolist())}
        self._movie_rows = {raw: row for row, raw in enumerate(self._movies.tolist())}
        self._movie_ids = self._movies.tolist()
        self._all_movies = torch.arange(len(self._movies))
        self._minimum, self._maximum = json.loads(extra["metadata.json"])["rating_scale"]
        with np.load(io.BytesIO(extra["history"]), allow_pickle=False) as history:
            self._offsets = [*history["offsets"].tolist(), len(history["movie_index"])]
            self._seen = torch.from_numpy(history["movie_index"].astype(np.int64))
        catalogue = json.loads(extra["catalogue"])
        shown = [name for name in ("title", "genres") if name in catalogue]
        self._facts = [
            {name: catalogue[name][row] for name in shown if catalogue[name][row] is not None}
            for row in range(len(self._movies))
        ]
        gc.collect()
        gc.freeze()  # else every full collection looks through all of torch, a tenth of a second

    def answer(self, asks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """One answer per ask: a pair, columns of pairs (a list in each field), or the `top_k` best of all movies.

        The ratings of columns are an array, which orjson writes faster than a list, and in as few digits as it holds.
        """
        users: list[int] = []
        movies: list[int] = []
        best = []
        for ask in asks:
            user_id = ask["user_id"]
            if "top_k" in ask:
                best.append(ask)
            elif isinstance(user_id, list):
                users += user_id
                movies += ask["movie_id"]
            else:
                users.append(user_id)
                movies.append(ask["movie_id"])
        ratings = self.rate(np.array(users), np.array(movies)) if users else np.empty(0, np.float32)
        lists = iter(self._best_of(best)) if best else iter(())
        answers, start = [], 0
        for ask in asks:
            if "top_k" in ask:
                answers.append(next(lists))
            elif isinstance(ask["user_id"], list):
                end = start + len(ask["user_id"])
                answers.append({"rating": ratings[start:end]})
                start = end
            else:
                answers.append(self._pair(ask, round(float(ratings[start]), 6)))
                start += 1
        return answers

    def rate(self, user_ids: np.ndarray, movie_ids: np.ndarray) -> np.ndarray:
        """Ratings (B,) float32 of two int64 arrays (B,) of raw ids."""
        users, movies = self._find_users(user_ids), self._find_movies(movie_ids)
        sides = (torch.from_numpy(rows).split(_CHUNK_PAIRS) for rows in (users, movies))
        return torch.cat([self._score(*part) for part in zip(*sides, strict=True)]).numpy()

    def best(self, user_ids: np.ndarray, top_k: int) -> tuple[np.ndarray, np.ndarray]:
        """The `top_k` best movies that each of (B,) users did not rate: raw ids and ratings, both (B, top_k)."""
        ratings, movies = self._top(torch.from_numpy(self._find_users(user_ids)), top_k)
        return self._movies[movies.numpy()], ratings.numpy()

    def _best_of(self, asks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        rows = self._rows([ask["user_id"] for ask in asks], self._user_rows)
        ratings, movies = self._top(torch.tensor(rows), max(ask["top_k"] for ask in asks))
        found = []
        for ask, scores, places in zip(asks, short(ratings.numpy()), movies.tolist(), strict=True):
            lines = [
                {"movie_id": self._movie_ids[place], "rating": score, **self._facts[place]}
                for score, place in zip(scores[: ask["top_k"]], places, strict=False)
            ]
            found.append({"user_id": ask["user_id"], "recommendations": lines})
        return found

    def _pair(self, ask: dict[str, Any], rating: float) -> dict[str, Any]:
        answer = {"user_id": ask["user_id"], "movie_id": ask["movie_id"], "rating": rating}
        unknown = [name for name, rows in self._sides() if ask[name] not in rows]
        return {**answer, "unknown": unknown} if unknown else answer

    def _sides(self) -> tuple[tuple[str, dict[int, int]], ...]:
        return (("user_id", self._user_rows), ("movie_id", self._movie_rows))

    def _rows(self, ids: list[int], rows: dict[int, int]) -> list[int]:
        """An id that the training did not hold has the row after the last."""
        unknown = len(rows)
        return [rows.get(raw, unknown) for raw in ids]

    @torch.inference_mode()
    def _score(self, users: Tensor, movies: Tensor) -> Tensor:
        unit: Tensor = self._network(users, movies)
        ratings: Tensor = self._minimum + unit * (self._maximum - self._minimum)
        return ratings

    @torch.inference_mode()
    def _top(self, users: Tensor, top_k: int) -> tuple[Tensor, Tensor]:
        number = len(self._all_movies)
        parts = users.split(max(1, _CHUNK_PAIRS // number))
        scores = [self._score(part.repeat_interleave(number), self._all_movies.repeat(len(part))) for part in parts]
        ratings = torch.cat(scores).view(len(users), number)
        for place, user in enumerate(users.tolist()):
            ratings[place, self._seen[self._offsets[user] : self._offsets[user + 1]]] = -torch.inf
        return tuple(ratings.topk(top_k))  # type: ignore[return-value]


def short(ratings: np.ndarray) -> Any:
    """Lists of floats: six decimals are all that a float32 holds, and spare the client 9.729999542236328."""
    return ratings.astype(np.float64).round(6).tolist()


def finder(ids: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """What finds the place of each of (B,) int64 in the ascending `ids`, or the one after the last."""
    unknown, first, last = len(ids), int(ids[0]), int(ids[-1])
    if last - first >= _TABLE_PER_ID * unknown:

        def search(wanted: np.ndarray) -> np.ndarray:
            places = np.searchsorted(ids, wanted)
            known = ids[np.minimum(places, unknown - 1)] == wanted
            return np.where(known, places, unknown)

        return search
    table = np.full(last - first + 3, unknown)  # with a place for whatever is below, and one for whatever is above
    table[ids - first + 1] = np.arange(unknown)
    return lambda wanted: table.take(np.minimum(np.maximum(wanted, first - 1), last + 1) - (first - 1))
