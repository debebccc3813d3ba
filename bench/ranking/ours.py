"""This project's rankings with its defaults: for known users, and for new users who are folded in from few ratings."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from model.factor_network import FactorNetwork
from model.history import History
from model.interest import Interest
from model.network import RatingNetwork
from model.picks import UserPicks
from model.scale import RatingScale
from train.architectures import ARCHITECTURES
from train.config import TrainConfig
from train.dataset.tensors import Ratings, TrainingSet
from train.evaluation.ranking_scores import Scores
from train.interest.choose import choose_blend
from train.interest.fit import fit_interest, picks_of_users
from train.interest.scores import ranked_scores
from train.resume import NO_STAGES


@dataclass(frozen=True)
class Ours:
    """A network and its interest part, as `python -m train` fits them."""

    network: RatingNetwork
    interest: Interest
    trained: TrainingSet
    scale: RatingScale

    def scores(self) -> Scores:
        """`blend`, `interest` and `rating` for the users of the training."""
        return ranked_scores(self.interest, picks_of_users(self.trained), self.network, self.scale)

    def scores_of_new(self, given: Ratings, num_users: int) -> Scores:
        """The same for new users 0..num_users-1, folded in from only the ratings `given`."""
        assert isinstance(self.network, FactorNetwork)
        with torch.inference_mode():
            rows = self.network.encode_users(given.user_index, given.movie_index, given.rating, num_users + 1)
        network = copy.copy(self.network)
        network._modules = {**self.network._modules, "user_embedding": nn.Embedding.from_pretrained(rows.clone())}
        columns = given.user_index.numpy(), given.movie_index.numpy(), given.rating.numpy()
        picks = UserPicks(History.from_ratings(*columns, num_users))
        return ranked_scores(self.interest, picks, network, self.scale)


def fit_ours(trained: TrainingSet, scale: RatingScale, seed: int, split: Literal["random", "time"] = "random") -> Ours:
    """Chooses hyperparameters on the training rows and fits, as `python -m train` does with this split."""
    config = TrainConfig(seed=seed, split=split)
    architecture = ARCHITECTURES[config.architecture]
    choice = architecture.choose(trained, scale, config, NO_STAGES)

    def fit(rows: TrainingSet) -> RatingNetwork:
        return architecture.fit(rows, scale, config, choice, "fit", NO_STAGES).network

    network = fit(trained)
    blend = choose_blend(trained, scale, config, fit, NO_STAGES)
    return Ours(network, fit_interest(trained, network, scale, config.tuned_interest, blend), trained, scale)
