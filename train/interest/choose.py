"""How much the predicted rating counts in the blend is chosen by the program, on an inner split of the training rows.

The network is fitted once more for it, on inner rows alone: a network that has seen a rating would give it away.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from model.network import RatingNetwork
from model.scale import RatingScale
from train import distributed
from train.config import TrainConfig
from train.dataset.tensors import Ratings, TrainingSet
from train.evaluation.ranking import mean_ndcg
from train.evaluation.relevance import ranking_task
from train.interest.fit import fit_interest, history_of
from train.interest.scores import blended_scores
from train.resume import Stages

# Of the inner rows, the share that is looked at.
_INNER_SIZE = 0.2
_MOST_USERS = 1_000
_STAGE = "rating share"

FitNetwork = Callable[[TrainingSet], RatingNetwork]


def choose_rating_share(
    data: TrainingSet, scale: RatingScale, config: TrainConfig, fit: FitNetwork, stages: Stages
) -> float:
    """The candidate of `rating_shares` with the highest nDCG@10 on inner rows; the first where none can be told."""
    candidates = config.interest.rating_shares
    kept = stages.load(_STAGE)
    if kept is not None:
        return float(kept.values["share"])
    if len(candidates) == 1:
        return candidates[0]
    rest, watched = _inner_split(data, config)
    network = fit(rest) if len(rest.ratings) and len(watched) else None
    share = candidates[0]
    if network is not None:
        ndcg = _ndcg_by_share(rest, watched, network, scale, config)
        share = max(candidates, key=lambda one: ndcg.get(one, 0.0))
    share = distributed.agree_on(share)
    stages.save(_STAGE, {}, {"share": share})
    return share


def _inner_split(data: TrainingSet, config: TrainConfig) -> tuple[TrainingSet, Ratings]:
    """Rows of about `inner_rows` of the ratings, by whole users: those to fit on, and those to look at."""
    generator = torch.Generator().manual_seed(config.split_seed)
    ratings = data.ratings
    drawn = torch.rand(len(data.user_ids), generator=generator) < config.interest.inner_rows / len(ratings)
    ratings = ratings.take(drawn[ratings.user_index])
    watched = torch.rand(len(ratings), generator=generator) < _INNER_SIZE
    rest = TrainingSet(ratings.take(~watched), data.user_ids, data.movie_ids, data.features)
    return rest, ratings.take(watched)


def _ndcg_by_share(
    rest: TrainingSet, watched: Ratings, network: RatingNetwork, scale: RatingScale, config: TrainConfig
) -> dict[float, float]:
    """nDCG@10 by candidate; {} where no user has a movie to be found."""
    known = len(rest.user_ids), len(rest.movie_ids)
    task = ranking_task(rest.ratings, watched, *known, scale.minimum, _MOST_USERS)
    if not len(task.user):
        return {}
    interest = fit_interest(rest, network, scale, config.interest, 1.0)
    history = history_of(rest).without_repeats()
    weights = {share: share * float(interest.rating_weight) for share in config.interest.rating_shares}
    scores = blended_scores(list(weights.values()), interest, history, network, scale)
    ndcg = mean_ndcg(task, rest.ratings, known[0], scores)
    return {share: ndcg[str(weight)] for share, weight in weights.items()}
