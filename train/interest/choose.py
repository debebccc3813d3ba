"""The blend is chosen by the program, on an inner split of the training rows: the rating's weight, and the restraint.

The network is fitted once more for it, on inner rows alone: a network that has seen a rating would give it away.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product

import torch

from model.network import RatingNetwork
from model.scale import RatingScale
from train import distributed
from train.config import TrainConfig
from train.dataset.tensors import Ratings, TrainingSet
from train.evaluation.ranking import FEWEST_USERS, mean_ndcg
from train.evaluation.relevance import ranking_task
from train.interest.fit import Blend, picks_of_users, set_blend
from train.interest.linear import fit_linear
from train.interest.scores import Weights, blended_scores
from train.resume import Stages

# Of the inner rows, the share that is looked at.
_INNER_SIZE = 0.2
_MOST_USERS = 1_000
# Their number is less in a large catalogue, so that no more pairs than these are scored, but not below FEWEST_USERS.
_MOST_PAIRS = 2**24
_STAGE = "blend"

FitNetwork = Callable[[TrainingSet], RatingNetwork]


def choose_blend(data: TrainingSet, scale: RatingScale, config: TrainConfig, fit: FitNetwork, stages: Stages) -> Blend:
    """The candidates with the highest nDCG@10 on inner rows; the first ones where that cannot be told."""
    candidates = [Blend(*pair) for pair in product(config.interest.rating_shares, config.interest.restraints)]
    kept = stages.load(_STAGE)
    if kept is not None:
        return Blend(**kept.values)
    if len(candidates) == 1:
        return candidates[0]
    rest, watched = _inner_split(data, config)
    ndcg: dict[Blend, float] = {}
    if len(rest.ratings) and len(watched):
        ndcg = _ndcg_by_blend(candidates, rest, watched, fit(rest), scale, config)
    best = max(candidates, key=lambda one: ndcg.get(one, 0.0))
    chosen = candidates[int(distributed.agree_on(candidates.index(best)))]
    stages.save(_STAGE, {}, chosen._asdict())
    return chosen


def _inner_split(data: TrainingSet, config: TrainConfig) -> tuple[TrainingSet, Ratings]:
    """Rows of about `inner_rows` of the ratings, by whole users: those to fit on, and those to look at."""
    generator = torch.Generator().manual_seed(config.split_seed)
    ratings = data.ratings
    drawn = torch.rand(len(data.user_ids), generator=generator) < config.interest.inner_rows / len(ratings)
    ratings = ratings.take(drawn[ratings.user_index])
    watched = torch.rand(len(ratings), generator=generator) < _INNER_SIZE
    held_out = ratings.take(watched)
    return replace(data, ratings=ratings.take(~watched)).without_events_of(held_out), held_out


def _ndcg_by_blend(
    candidates: Sequence[Blend],
    rest: TrainingSet,
    watched: Ratings,
    network: RatingNetwork,
    scale: RatingScale,
    config: TrainConfig,
) -> dict[Blend, float]:
    """nDCG@10 by candidate; {} where no user has a movie to be found."""
    known = len(rest.user_ids), len(rest.movie_ids)
    most = max(FEWEST_USERS, min(_MOST_USERS, _MOST_PAIRS // known[1]))
    task = ranking_task(rest.ratings, watched, *known, scale.minimum, most)
    if not len(task.user):
        return {}
    picks = picks_of_users(rest)
    interest = fit_linear(rest, config.tuned_interest)
    weights: dict[str, Weights] = {}
    for restraint in config.interest.restraints:
        set_blend(interest, Blend(1.0, restraint), picks, network, scale)
        unit = float(interest.rating_weight)
        weights |= {
            str(one): Weights(restraint, one.rating_share * unit) for one in candidates if one.restraint == restraint
        }
    scores = blended_scores(weights, interest, picks, network, scale)
    ndcg = mean_ndcg(task, rest.ratings, known[0], scores, picks.events)
    return {one: ndcg[str(one)] for one in candidates}
