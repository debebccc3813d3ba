"""The metrics of rankings, in one table that everything else is filled from.

metrics.json, the table on the screen, the report and the model card show every metric here.

Definitions: nDCG with linear gains, recall, precision, hit rate, MRR and MAP as in `ranx`; coverage, novelty and
popularity as `CatalogCoverage`, `MeanInvUserFreq` and `AvgRecPopularity` in RecTools.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

CUTOFFS = (5, 10, 20)


@dataclass(frozen=True)
class Lists:
    """One ranking's first K movies for each of U users, and what they are worth.

    movie: (U, K) rows of movies, best first; -1 where no movie is left.
    gain: (U, K) what each is worth to its user, 0 where it is not relevant.
    ideal: (U, K) the user's highest gains, highest first; 0 where there are fewer.
    relevant: (U,) the number of the user's relevant movies, at least 1.
    raters: (U, K) the number of users who rated the movie in training.
    num_users, num_movies: of the training.
    """

    movie: np.ndarray
    gain: np.ndarray
    ideal: np.ndarray
    relevant: np.ndarray
    raters: np.ndarray
    num_users: int
    num_movies: int

    @property
    def hit(self) -> np.ndarray:
        """(U, K) whether the movie is relevant."""
        return self.gain > 0

    @property
    def rank(self) -> np.ndarray:
        """(K,) places, from 1."""
        return np.arange(1, self.movie.shape[1] + 1)

    def cut(self, length: int) -> Lists:
        """The same lists, no longer than `length`."""
        columns = {name: getattr(self, name)[:, :length] for name in ("movie", "gain", "ideal", "raters")}
        return replace(self, **columns)


def _ndcg(lists: Lists) -> np.ndarray:
    discount = np.log2(lists.rank + 1)
    ratio: np.ndarray = (lists.gain / discount).sum(1) / (lists.ideal / discount).sum(1)
    return ratio


def _recall(lists: Lists) -> np.ndarray:
    found: np.ndarray = lists.hit.sum(1) / lists.relevant
    return found


def _reciprocal_rank(lists: Lists) -> np.ndarray:
    first: np.ndarray = (lists.hit / lists.rank).max(1)
    return first


def _average_precision(lists: Lists) -> np.ndarray:
    precision = np.cumsum(lists.hit, axis=1) / lists.rank
    average: np.ndarray = (precision * lists.hit).sum(1) / lists.relevant
    return average


def _coverage(lists: Lists) -> np.ndarray:
    shown = np.unique(lists.movie[lists.movie >= 0])
    return np.array(len(shown) / lists.num_movies)


def _novelty(lists: Lists) -> np.ndarray:
    surprise = -np.log2(np.maximum(lists.raters, 1) / lists.num_users)
    return _mean_of_shown(surprise, lists)


def _mean_of_shown(values: np.ndarray, lists: Lists) -> np.ndarray:
    """Mean over the movies of each list, (U,); 0 for a list without any."""
    shown = lists.movie >= 0
    mean: np.ndarray = (values * shown).sum(1) / np.maximum(shown.sum(1), 1)
    return mean


# Name -> a function of the lists of a given length. It returns one value for each user, (U,), or one for all, ().
RANKING_METRICS: Mapping[str, Callable[[Lists], np.ndarray]] = {
    "ndcg": _ndcg,
    "recall": _recall,
    "precision": lambda lists: np.asarray(lists.hit.mean(1)),
    "hit_rate": lambda lists: np.asarray(lists.hit.max(1), dtype=np.float64),
    "mrr": _reciprocal_rank,
    "map": _average_precision,
    "coverage": _coverage,
    "novelty": _novelty,
    "popularity": lambda lists: _mean_of_shown(lists.raters, lists),
}


def measure_lists(lists: Lists) -> dict[str, np.ndarray]:
    """Every metric at every cutoff, as in `ndcg@10`: one value for each user, (U,), or one for all, ()."""
    return {
        f"{name}@{cutoff}": metric(lists.cut(cutoff)) for cutoff in CUTOFFS for name, metric in RANKING_METRICS.items()
    }
