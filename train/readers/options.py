"""How to read a file of ratings, as options of a command."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from train.dataset.data import RatingsData
from train.readers import load_ratings
from train.readers.rules import ReadingRules


@dataclass(frozen=True)
class ReaderOptions(ReadingRules):
    """Options that every command which reads ratings has."""

    def read(self, path: str | Path, rating_scale: tuple[float, float] | None) -> RatingsData:
        """The ratings that lie at `path`; with a scale, all of them must keep to it.

        Raises:
            DataError: they cannot be read so.
        """
        return load_ratings(path, self, rating_scale)
