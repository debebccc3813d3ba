"""Tuned for the future: what differs between the ratings that a network is fitted to and those to come.

- People rate first what they like best, so later ratings of the same users and movies are lower than a fit says. A
  network is fitted to the older training rows, and its errors on the newer ones tell by how much (`Drift`).
- Rows that are drawn at random leave users and movies without ratings who are few, odd and unpopular. Those to come are
  like all others (`Strangers`): a movie without ratings is the movie of an average rating, whatever the catalogue tells
  of it, and the ordinal network learns from rows whose user or movie is hidden what a stranger's ratings are.

Shapes: R later ratings, K = 1 + factors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from model.factor_network import FactorNetwork
from train import distributed
from train.dataset.tensors import Ratings, TrainingSet
from train.factors.variational import Block

HIDDEN = 0.05  # share of the ordinal network's rows whose user is hidden, and of those whose movie is
_FEW_ROWS = 200.0  # what so few rows tell counts half
_ENOUGH_ROWS = 10_000
_MOST_ROWS = 200_000
_NEW = 0.1  # share of the ratings, the last ones: a movie whose ratings all lie in these is new
_STEPS = 8  # of Newton's method: what it solves is nearly straight


class Drift(NamedTuple):
    """What is added to a fitted network.

    rating: to the rating block's score, in units of its target. tilt: times a level's unit, to its logit in the ordinal
    network.
    """

    rating: float
    tilt: float


class Strangers(NamedTuple):
    """The rows (K,) of a user and of a movie without ratings in one block."""

    user: Tensor
    movie: Tensor


def measure_drift(data: TrainingSet, share: float, fit: Callable[[TrainingSet], FactorNetwork]) -> Drift | None:
    """The drift of the last `share` of the training rows by time, against a fit of the rows before.

    A smaller share than holds enough rows is raised to that, at most to a fifth. None where the rows have no times, or
    are too few.
    """
    ratings = data.ratings
    number = max(round(share * len(ratings)), min(_ENOUGH_ROWS, len(ratings) // 5))
    if ratings.time is None or not 0 < number < len(ratings):
        return None
    order = torch.argsort(ratings.time, stable=True)
    early, late = ratings.take(order[:-number]), ratings.take(order[-number:][-_MOST_ROWS:])
    network = fit(TrainingSet(early, data.user_ids, data.movie_ids, data.features))
    has_user = torch.bincount(early.user_index, minlength=network.num_users)[late.user_index] > 0
    has_movie = torch.bincount(early.movie_index, minlength=network.num_movies)[late.movie_index] > 0
    known = late.take(has_user & has_movie)
    with torch.inference_mode():
        return _measure(network, known) if len(known) else None


def add_drift(network: FactorNetwork, drift: Drift) -> None:
    """Adds the drift to both parts of a network."""
    with torch.no_grad():
        network.offset.add_(network.slope, alpha=drift.rating)
        network.ordinal.out.bias.add_(network.ordinal.unit, alpha=drift.tilt)


def strangers_of(block: Block, count: Tensor) -> Strangers:
    """A block's strangers; count (M,) of the ratings that it was fitted to, by movie."""
    count = count.to(block.movie.mean.dtype)
    return Strangers(block.user.link[0], count @ block.movie.mean / count.sum())


def popularity_by_time(ratings: Ratings, num_movies: int) -> Tensor | None:
    """The logarithms (M,) of the movies' numbers of ratings, with an average rating's for movies that are new.

    The newer a movie, the less its own number counts. None where the ratings have no times.
    """
    if ratings.time is None or not len(ratings):
        return None
    place = torch.empty(len(ratings))
    place[torch.argsort(ratings.time, stable=True)] = torch.linspace(1, 0, len(ratings))
    seen = torch.zeros(num_movies).scatter_reduce(0, ratings.movie_index, place, "amax")
    return popularity_of(torch.bincount(ratings.movie_index, minlength=num_movies), seen)


def popularity_of(count: Tensor, seen: Tensor) -> Tensor:
    """The same (M,) by the movies' numbers of ratings, and by the share of all ratings that came after their first."""
    own = count.clamp_min(1).log()
    average = float((own.double() * count).sum() / count.sum())
    trust = (seen / _NEW).clamp(max=1.0)
    return trust * own + (1 - trust) * average


def unrated_as(stranger: Tensor, movies: Tensor, count: Tensor) -> Tensor:
    """The rows (M + 1, K) of `movies`, with `stranger` (K,) for the last, unknown one and for those without ratings.

    count (M,) of ratings by movie.
    """
    rated = torch.cat([count > 0, count.new_zeros(1, dtype=torch.bool)])
    return torch.where(rated.unsqueeze(1), movies, stranger)


def _measure(network: FactorNetwork, later: Ratings) -> Drift:
    """The drift that makes the mean of each part of the network equal the mean of the ratings."""
    k, unit = network.size, network.ordinal.unit
    user, movie = network.user_tower(later.user_index), network.movie_tower(later.movie_index)
    target = (later.rating - network.standard[0]) / network.standard[1]
    rating = target - user[:, 0] - movie[:, 0] - (user[:, 1:k] * movie[:, 1:k]).sum(1)
    logit = network.ordinal.logits(*network.ordinal_inputs(user, movie))
    wanted, tilt = unit[network.ordinal.level(later.rating)].mean(), 0.0
    for _ in range(_STEPS):
        probability = torch.softmax(logit + tilt * unit, -1)
        mean = probability @ unit
        variance = (probability @ unit.square() - mean.square()).mean()
        tilt += float((wanted - mean.mean()) / variance.clamp_min(1e-6))
    trust = len(later) / (len(later) + _FEW_ROWS)
    found = (float(rating.mean()) * trust, tilt * trust)
    return Drift(*(round(distributed.agree_on(number), 4) for number in found))
