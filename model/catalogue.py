"""Facts about each movie, by row: title, genres, year and whatever else the data has."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


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

    def shown(self, row: int, fields: Sequence[str] = ()) -> dict[str, Any]:
        """What an answer shows of the movie in `row`: its title and its genres, and these columns, where known."""
        names = [name for name in ("title", "genres", *fields) if name in self.columns]
        values = ((name, self.columns[name][row]) for name in names)
        return {name: value for name, value in values if value is not None}

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
        for row, genres in enumerate(self.columns.get("genres", ())):
            for genre in genres or ():
                rows.setdefault(genre, []).append(row)
        return {genre: np.array(found, dtype=np.int64) for genre, found in sorted(rows.items())}
