"""How to read a file of ratings, as options of a command."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args, get_type_hints

from train.dataset.data import RatingsData
from train.readers import FORMATS, Columns, load_ratings


@dataclass(frozen=True)
class ReaderOptions:
    """Options that every command which reads ratings has."""

    format: Literal["auto", "kmrd", "movielens", "csv", "parquet"] = "auto"
    """How to read it; `auto` looks at what lies there."""
    user_column: str = "user_id"
    """Column of user ids (csv and parquet)."""
    movie_column: str = "movie_id"
    """Column of movie ids (csv and parquet)."""
    rating_column: str = "rating"
    """Column of ratings (csv and parquet)."""
    delimiter: str | None = None
    """Field delimiter (csv); by default a comma, or a tab in a .tsv."""
    movies: Path | None = None
    """A file of movies (csv and parquet): the movie column, and any of title, genres (with | between), year."""

    def read(self, path: Path, rating_scale: tuple[float, float] | None) -> RatingsData:
        """The ratings that lie at `path`; with a scale, all of them must keep to it.

        Raises:
            DataError: they cannot be read so.
        """
        return load_ratings(
            path,
            self.format,
            columns=Columns(self.user_column, self.movie_column, self.rating_column),
            rating_scale=rating_scale,
            delimiter=self.delimiter,
            movies=self.movies,
        )


if set(get_args(get_type_hints(ReaderOptions)["format"])) != {"auto", *FORMATS}:
    raise TypeError(f"ReaderOptions.format: expected auto and {', '.join(FORMATS)}")
