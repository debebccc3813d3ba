"""The rankings of a model with an interest part, for the tables of the evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from model.interest import Interest, interests_of
from model.network import RatingNetwork
from model.picks import UserPicks
from model.scale import RatingScale
from train.evaluation.ranking_scores import RATING, Scores, rating_scores

BLEND = "blend"
INTEREST = "interest"


class Weights(NamedTuple):
    """What a blend adds to what draws a user: restraint, in spreads of that, and the weight of a rating unit."""

    restraint: float
    rating: float


def ranked_scores(interest: Interest, picks: UserPicks, network: RatingNetwork, scale: RatingScale) -> Scores:
    """`blend`, which is what the server ranks by, `interest`, and `rating`, of users by their picks."""
    weights = Weights(float(interest.restraint), float(interest.rating_weight))
    plain = weights._replace(rating=0.0)
    return blended_scores({BLEND: weights, INTEREST: plain}, interest, picks, network, scale)


def blended_scores(
    blends: Mapping[str, Weights], interest: Interest, picks: UserPicks, network: RatingNetwork, scale: RatingScale
) -> Scores:
    """These blends by their names, and then `rating`. What all of them need is computed once."""
    rate = rating_scores(network)
    center = float(interest.rating_center)

    def score(users: np.ndarray) -> Mapping[str, np.ndarray]:
        units = rate(users)[RATING]
        rated = np.diff(picks.history.offsets)[users, None] > 0
        own = [picks.of_user(user) for user in users.tolist()]
        above = np.where(rated, scale.to_rating(units) - center, 0.0)
        interests: dict[float, np.ndarray] = {}
        for restraint in {one.restraint for one in blends.values()}:
            interest.restraint.fill_(restraint)
            interests[restraint] = interests_of(interest, own)[:, :-1].numpy()
        scores = {name: interests[one.restraint] + one.rating * above for name, one in blends.items()}
        return {**scores, RATING: units}

    return score
