"""The interest part of a model: its weights, and how much the predicted rating counts in the blend."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from model.events import EventHistory
from model.history import History
from model.interest import Interest, interests_of
from model.picks import UserPicks
from model.scale import RatingScale
from train.dataset.tensors import Ratings, TrainingSet
from train.interest.config import InterestConfig
from train.interest.linear import fit_linear
from train.predict import predict

# Users whose interests and ratings tell how widely each of the two spreads over the catalogue.
_SPREAD_USERS = 256
# Movies that their spreads are taken over, evenly spaced.
_SPREAD_MOVIES = 2_048
# At most this many pairs of user and movie are in memory at once.
_PAIRS_AT_ONCE = 2**22


class Blend(NamedTuple):
    """What a score is made of, in spreads of the interest.

    rating_share: how far one standard deviation of a user's predicted ratings moves a score.
    restraint: how far a movie one standard deviation rarer is moved.
    """

    rating_share: float
    restraint: float


def fit_interest(
    data: TrainingSet, network: nn.Module, scale: RatingScale, config: InterestConfig, blend: Blend
) -> Interest:
    """The interest part of these ratings, blended with this network's ratings."""
    interest = fit_linear(data, config)
    set_blend(interest, blend, picks_of_users(data), network, scale)
    return interest


def set_blend(interest: Interest, blend: Blend, picks: UserPicks, network: nn.Module, scale: RatingScale) -> None:
    """Turns spreads into weights: a spread is a median over evenly spaced users."""
    interest.restraint.fill_(blend.restraint)
    interest_spread, rating_spread = _spreads(interest, picks, network, scale)
    interest.rating_weight.fill_(blend.rating_share * interest_spread / rating_spread if rating_spread else 0.0)


def history_of(data: TrainingSet) -> History:
    """The training rows by user."""
    rated = data.ratings
    arrays = (rated.user_index.numpy(), rated.movie_index.numpy(), rated.rating.numpy())
    return History.from_ratings(*arrays, len(data.user_ids))


def picks_of_users(data: TrainingSet) -> UserPicks:
    """The training rows and the events of the users who have training rows."""
    history = history_of(data)
    if data.events is None:
        return UserPicks(history)
    own = data.events.user_index < len(data.user_ids)
    pairs = data.events.user_index[own].numpy(), data.events.movie_index[own].numpy()
    return UserPicks(history, EventHistory.from_pairs(*pairs, history))


def _spreads(interest: Interest, picks: UserPicks, network: nn.Module, scale: RatingScale) -> tuple[float, float]:
    """How widely the interest and the predicted ratings of a user spread over the catalogue: two medians."""
    rated = np.flatnonzero(np.diff(picks.history.offsets))
    users = rated[:: max(1, len(rated) // _SPREAD_USERS)][:_SPREAD_USERS]
    num_movies = len(interest.popularity) - 1
    movies = torch.arange(0, num_movies, max(1, num_movies // _SPREAD_MOVIES))
    own = [picks.of_user(user) for user in users.tolist()]
    step = max(1, _PAIRS_AT_ONCE // num_movies)
    blocks = [interests_of(interest, own[first : first + step])[:, movies] for first in range(0, len(own), step)]
    interests = torch.cat(blocks)
    pairs = Ratings(
        torch.from_numpy(users).repeat_interleave(len(movies)),
        movies.repeat(len(users)),
        torch.zeros(len(users) * len(movies)),
    )
    ratings = predict(network, pairs, scale).view(len(users), len(movies))
    return float(interests.std(1).median()), float(ratings.std(1).median())
