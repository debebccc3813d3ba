"""The held-out ratings and what was predicted of them: all that a report needs, so that it trains nothing again."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from model.files import atomic_write
from train.errors import DataError

MOST_ROWS = 100_000  # a file holds no more: enough for every picture, and small beside the artifact
_PREDICTION = "prediction "


def _no_levels() -> np.ndarray:
    return np.zeros(0, dtype=np.float32)


@dataclass(frozen=True)
class HeldOut:
    """N held-out ratings, in the order of the split.

    row: (N,) int64, places in the split's held-out rows, ascending: all of them, or a sample of many.
    user_ratings, movie_ratings: (N,) int32, how many training ratings the row's user and its movie have.
    truth: (N,) float32, rating units.
    predictions: by predictor (N,) float32, rating units, clipped to the scale.
    level_value, level_edges: (L,) and (L - 1,) float32: the rating levels of an ordinal network and the edges between
        them, rating units; empty where the network has none.
    level_probability: (N, L) float16, what the ordinal network gave each level.
    """

    row: np.ndarray
    user_ratings: np.ndarray
    movie_ratings: np.ndarray
    truth: np.ndarray
    predictions: dict[str, np.ndarray]
    level_value: np.ndarray = field(default_factory=_no_levels)
    level_edges: np.ndarray = field(default_factory=_no_levels)
    level_probability: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float16))

    def __len__(self) -> int:
        return len(self.truth)

    def groups(self) -> dict[str, np.ndarray]:
        """Masks (N,): `known`, user and movie occur in training; `all`; `new_user`, the user does not occur."""
        known = (self.user_ratings > 0) & (self.movie_ratings > 0)
        return {"known": known, "all": np.ones_like(known), "new_user": self.user_ratings == 0}

    def with_prediction(self, name: str, predicted: np.ndarray) -> HeldOut:
        """The same with the predictions (N,) of one more predictor, the last in the table."""
        return replace(self, predictions={**self.predictions, name: predicted.astype(np.float32)})

    def sample(self, rows: int = MOST_ROWS, seed: int = 0) -> HeldOut:
        """At most so many rows, drawn at random."""
        if len(self) <= rows:
            return self
        kept = np.sort(np.random.default_rng(seed).choice(len(self), rows, replace=False))
        return replace(
            self,
            row=self.row[kept],
            user_ratings=self.user_ratings[kept],
            movie_ratings=self.movie_ratings[kept],
            truth=self.truth[kept],
            predictions={name: predicted[kept] for name, predicted in self.predictions.items()},
            level_probability=self.level_probability[kept] if len(self.level_value) else self.level_probability,
        )


def save_held_out(held_out: HeldOut, path: Path, digest: str) -> None:
    """Writes `path` in one step. digest: of the run's artifact, so that no report mixes two runs."""
    arrays = {name: value for name, value in vars(held_out).items() if isinstance(value, np.ndarray)}
    arrays |= {_PREDICTION + name: predicted for name, predicted in held_out.predictions.items()}
    with atomic_write(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, digest=np.array(digest), **arrays)


def load_held_out(path: Path, digest: str) -> HeldOut:
    """What `save_held_out` wrote; pickled objects are refused.

    Raises:
        DataError: there is no such file, it is damaged, or it belongs to another artifact than that of `digest`.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file: this version was trained with --test-size 0, or not by this code")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
        written_for = str(found.pop("digest"))
        named = {name for name in found if name.startswith(_PREDICTION)}
        predictions = {name.removeprefix(_PREDICTION): found[name] for name in found if name in named}
        held_out = HeldOut(
            **{name: value for name, value in found.items() if name not in named}, predictions=predictions
        )
    except (ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: not readable: {error}") from error
    if written_for != digest:
        raise DataError(f"{path}: of another run (digest {written_for[:16]}) than the artifact ({digest[:16]})")
    return held_out
