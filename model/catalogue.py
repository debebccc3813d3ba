"""Facts about each movie, by row: title, genres, year and the other columns of the data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

TITLE = "title"
GENRES = "genres"
# Field names that answers use for their own values. A column with such a name cannot be shown beside them.
NAMES_IN_ANSWERS = frozenset({"rating", "score", "similarity", "unknown", "influence", "share"})


class Catalogue:
    """Columns of facts, each of length n; the position is the movie's row, and `None` is an unknown fact.

    Args:
        columns: name -> one value per movie. Recommendations show `title` and `genres` (lists of strings), and filter
            by `genres`.
        num_movies: n.

    Raises:
        ValueError: a column has another length.
    """

    def __init__(self, columns: Mapping[str, Sequence[Any]], num_movies: int) -> None:
        for name, values in columns.items():
            if len(values) != num_movies:
                raise ValueError(f"catalogue: column {name!r} has {len(values)} rows, expected {num_movies}")
        self.columns = dict(columns)
        self.num_movies = num_movies
        self.genres = self._rows_by_genre()

    def shown(self, row: int, fields: Sequence[str] = (), tags: str = GENRES) -> dict[str, Any]:
        """What an answer shows about the movie in `row`: title, genres and these columns, if known.

        tags: the answer's name for the genres.
        """
        found = {}
        for name in (TITLE, GENRES, *fields):
            if name in self.columns and (value := self.columns[name][row]) is not None:
                found[tags if name == GENRES else name] = value
        return found

    def mask(self, genres: Sequence[str]) -> np.ndarray:
        """(n,) bool: movies that have at least one of `genres`, each a key of `self.genres`."""
        chosen = np.zeros(self.num_movies, dtype=bool)
        for genre in genres:
            chosen[self.genres[genre]] = True
        return chosen

    def to_bytes(self) -> bytes:
        """The columns as JSON, UTF-8."""
        return json.dumps(self.columns, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, data: bytes, num_movies: int) -> Catalogue:
        """Reads what `to_bytes` wrote."""
        return cls(json.loads(data), num_movies)

    def _rows_by_genre(self) -> dict[str, np.ndarray]:
        rows: dict[str, list[int]] = {}
        for row, genres in enumerate(self.columns.get(GENRES, ())):
            for genre in genres or ():
                rows.setdefault(genre, []).append(row)
        return {genre: np.array(found, dtype=np.int64) for genre, found in sorted(rows.items())}
