"""Command-line options for reading ratings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from train.dataset.data import RatingsData
from train.readers import load_ratings
from train.readers.rules import ReadingRules


@dataclass(frozen=True)
class ReaderOptions(ReadingRules):
    """The options of every command that reads ratings."""

    def read(self, path: str | Path, rating_scale: tuple[float, float] | None) -> RatingsData:
        """Reads the ratings at `path`. If a scale is given, all ratings must be on it.

        Raises:
            DataError: the ratings cannot be read with these options.
        """
        return load_ratings(path, self, rating_scale)
