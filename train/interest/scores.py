"""The rankings of a model with an interest part, for the tables of the evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from model.history import History
from model.interest import Interest
from model.network import RatingNetwork
from model.scale import RatingScale
from train.evaluation.ranking_scores import RATING, Scores, rating_scores
from train.interest.fit import interests_of

BLEND = "blend"
INTEREST = "interest"


def ranked_scores(interest: Interest, history: History, network: RatingNetwork, scale: RatingScale) -> Scores:
    """`blend`, which is what the server ranks by, `interest`, and `rating`, of users by their history."""
    weight = float(interest.rating_weight)
    blends = blended_scores([weight], interest, history, network, scale)

    def score(users: np.ndarray) -> Mapping[str, np.ndarray]:
        found = dict(blends(users))
        return {BLEND: found.pop(str(weight)), **found}

    return score


def blended_scores(
    weights: Sequence[float], interest: Interest, history: History, network: RatingNetwork, scale: RatingScale
) -> Scores:
    """A blend for each weight of a rating unit, under the weight as text; then `interest` and `rating`."""
    rate = rating_scores(network)
    center = float(interest.rating_center)

    def score(users: np.ndarray) -> Mapping[str, np.ndarray]:
        units = rate(users)[RATING]
        interests = interests_of(interest, history, users)[:, :-1].numpy()
        rated = np.diff(history.offsets)[users, None] > 0
        above = np.where(rated, scale.to_rating(units) - center, 0.0)
        blends = {str(weight): interests + weight * above for weight in weights}
        return {**blends, INTEREST: interests, RATING: units}

    return score
