"""What the rankings of a table sort by: the model's own scores, and those of the baselines that it must beat."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from itertools import product
from typing import cast

import numpy as np
import torch

from model.distinct import distinct
from model.network import RatingNetwork, TowerNetwork
from train.cores import in_order
from train.dataset.tensors import Ratings
from train.evaluation.baselines import MOVIE_SHRINKAGE, shrunken_mean

# Rows of B users (B,) -> by ranking its scores (B, num_movies); a higher score comes first.
Scores = Callable[[np.ndarray], Mapping[str, np.ndarray]]

RATING = "rating"
MOST_POPULAR = "most_popular"
# The hidden layers of so many pairs stay in a processor's cache.
_PAIRS_AT_ONCE = 8_192


def join_scores(*parts: Scores) -> Scores:
    """All rankings of the parts, in their order."""
    return lambda users: {name: scores for part in parts for name, scores in part(users).items()}


def rating_scores(network: RatingNetwork) -> Scores:
    """`rating`: by predicted rating, whatever the architecture. The scores are unit scores, float32."""
    towers = cast(TowerNetwork, network)
    network.eval()
    with torch.inference_mode():
        movies = towers.movie_tower(torch.arange(network.num_movies))

    @torch.inference_mode()
    def score(users: np.ndarray) -> Mapping[str, np.ndarray]:
        rows = towers.user_tower(torch.from_numpy(users))
        units = torch.empty(len(users), len(movies))

        @torch.inference_mode()
        def rate(piece: tuple[slice, slice]) -> None:
            some, part = piece
            units[some, part] = towers.head(rows[some, None], movies[None, part])

        step = max(1, _PAIRS_AT_ONCE // len(movies))
        starts = product(range(0, len(users), step), range(0, len(movies), _PAIRS_AT_ONCE))
        pieces = ((slice(user, user + step), slice(movie, movie + _PAIRS_AT_ONCE)) for user, movie in starts)
        deque(in_order(rate, pieces), maxlen=0)
        return {RATING: units.numpy()}

    return score


def baseline_scores(train: Ratings, num_movies: int) -> Scores:
    """`most_popular`: by number of raters; `best_shrunken_mean`: by mean rating, drawn to the mean of all; `random`.

    The mean of a movie with n ratings counts as if it had MOVIE_SHRINKAGE more of the mean of all.
    """
    movie = train.movie_index.numpy()
    rating = train.rating.numpy().astype(np.float64)
    raters = count_raters(train, num_movies).astype(np.float32)
    means = shrunken_mean(movie, rating - rating.mean(), num_movies, MOVIE_SHRINKAGE)[:num_movies].astype(np.float32)

    def score(users: np.ndarray) -> Mapping[str, np.ndarray]:
        shape = (len(users), num_movies)
        random = np.random.default_rng(users).random(shape, dtype=np.float32)
        return {
            MOST_POPULAR: np.broadcast_to(raters, shape),
            "best_shrunken_mean": np.broadcast_to(means, shape),
            "random": random,
        }

    return score


def count_raters(train: Ratings, num_movies: int) -> np.ndarray:
    """How many users rated each movie, (num_movies,)."""
    pairs = distinct(train.user_index.numpy() * num_movies + train.movie_index.numpy())
    return np.bincount(pairs % num_movies, minlength=num_movies)
