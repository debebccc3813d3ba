"""Choose the models that represent two versions, and ratings that neither model was trained on.

The served model of a version was trained on all ratings. So a training also keeps the model that it measured, which
has not seen the held-out ratings. A model's history lists every rating that it was trained on, so this can be checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from model.artifact import Artifact, load_artifact
from train.dataset.data import MOVIE_ID, TIME, USER_ID
from train.dataset.features import raw_ids
from train.output import ARTIFACT, MEASURED

SERVED, HELD_BACK = "served", "measured"
# A comparison on fewer ratings is too uncertain to mean anything.
FEWEST_ROWS = 100

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Judge:
    """A model that represents a version: the one that is served, or the one that was measured.

    share: the number of its training ratings, divided by the number of the served model's.
    """

    kind: str
    artifact: Artifact
    share: float

    def has_seen(self, ratings: pd.DataFrame) -> Mask:
        """Whether it was trained on a rating of the row's user and movie, (N,) bool."""
        users = self.artifact.user_ids.rows(raw_ids(ratings[USER_ID])).astype(np.int64)
        movies = self.artifact.movie_ids.rows(raw_ids(ratings[MOVIE_ID])).astype(np.int64)
        width = len(self.artifact.movie_ids) + 1
        history = self.artifact.history
        owner = np.repeat(np.arange(history.num_users, dtype=np.int64), np.diff(history.offsets))
        seen: Mask = np.isin(users * width + movies, owner * width + history.movie_index)
        return seen


@dataclass(frozen=True, eq=False)
class Pair:
    """One judge for each version, and the rows (N,) bool that neither judge was trained on."""

    judge: Judge
    other: Judge
    unseen: Mask

    @property
    def unfairness(self) -> tuple[float, float]:
        """The share of ratings that the less informed judge lacks, then the difference between the two."""
        shares = self.judge.share, self.other.share
        return round(1 - min(shares), 2), round(max(shares) - min(shares), 2)


def judges_of(folder: Path) -> list[Judge]:
    """The models of the version in a folder: the served model, then the measured model if it was kept.

    Raises:
        FileNotFoundError, ArtifactError: the folder has no version, or the version is damaged.
    """
    served = load_artifact(folder / ARTIFACT)
    judges = [Judge(SERVED, served, 1.0)]
    if (folder / MEASURED).is_file():
        measured = load_artifact(folder / MEASURED)
        share = len(measured.history.ratings) / max(1, len(served.history.ratings))
        judges.append(Judge(HELD_BACK, measured, share))
    return judges


def choose_judges(versions: Sequence[Judge], others: Sequence[Judge], ratings: pd.DataFrame) -> Pair:
    """The fairest pair with at least `FEWEST_ROWS` ratings that neither judge has seen.

    In a fair pair, both judges know most of what their versions know, and about equally much. Of equally fair pairs it
    is the first, with the served models. If no pair has enough ratings, it is the pair with the most.
    """
    seen = {id(judge): judge.has_seen(ratings) for judge in (*versions, *others)}
    pairs = [Pair(one, two, ~seen[id(one)] & ~seen[id(two)]) for one, two in product(versions, others)]
    enough = [pair for pair in pairs if pair.unseen.sum() >= FEWEST_ROWS]
    if enough:
        return min(enough, key=lambda pair: pair.unfairness)
    return max(pairs, key=lambda pair: int(pair.unseen.sum()))


def newest_rows(pair: Pair, ratings: pd.DataFrame) -> Mask | None:
    """The unseen rows that are at least as new as every training row of both; None if they are too few."""
    if TIME not in ratings or ratings[TIME].isna().any():
        return None
    time = ratings[TIME].to_numpy(dtype=np.float64)
    trained = pair.judge.has_seen(ratings) | pair.other.has_seen(ratings)
    newest: Mask = pair.unseen & (time >= time[trained].max(initial=-np.inf))
    return newest if newest.sum() >= FEWEST_ROWS else None
