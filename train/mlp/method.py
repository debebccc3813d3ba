"""The reference's architecture: choose the number of epochs on an inner split, fit, then fit the unknown rows."""

from __future__ import annotations

import torch

from model.network import EmbeddingMLP
from model.scale import RatingScale
from train import distributed
from train.config import TrainConfig
from train.dataset.tensors import TrainingSet
from train.fit_log import FitLog
from train.method import Architecture, Choice, Fitted
from train.mlp.config import MLPConfig
from train.mlp.fit import build_network, fit
from train.mlp.unknown import fit_unknown_rows
from train.resume import NO_STAGES, Stages


def choose_mlp(data: TrainingSet, scale: RatingScale, config: TrainConfig, stages: Stages = NO_STAGES) -> Choice:
    """Chooses the number of epochs with the smallest error on an inner split; all epochs if patience is 0."""
    options = config.mlp
    if not options.patience:
        return Choice({"epochs": options.epochs}, FitLog())
    ratings = data.ratings
    order = torch.randperm(len(ratings), generator=torch.Generator().manual_seed(config.split_seed))
    watched = ratings.take(order[: max(1, round(options.inner_size * len(order)))])
    rest = ratings.take(order[len(watched) :])
    seen = torch.isin(watched.user_index, rest.user_index) & torch.isin(watched.movie_index, rest.movie_index)
    watched = watched.take(seen) if bool(seen.any()) else watched
    device = distributed.device()
    network = build_network(options, len(data.user_ids), len(data.movie_ids), config.seed).to(device)
    log = fit(
        network,
        rest.to(device),
        scale,
        options,
        seed=config.seed,
        epochs=options.epochs,
        watched=watched.to(device),
        label="choose",
        stages=stages,
    )
    return Choice({"epochs": log.best_epoch}, log)


def fit_mlp(
    data: TrainingSet,
    scale: RatingScale,
    config: TrainConfig,
    choice: Choice,
    label: str,
    stages: Stages = NO_STAGES,
) -> Fitted:
    """Fits a network for the chosen number of epochs."""
    epochs, device = choice.settings["epochs"], distributed.device()
    network = build_network(config.mlp, len(data.user_ids), len(data.movie_ids), config.seed).to(device)
    ratings = data.ratings.to(device)
    log = fit(network, ratings, scale, config.mlp, seed=config.seed, epochs=epochs, label=label, stages=stages)
    fit_unknown_rows(network, ratings, scale, config.seed)
    return Fitted(network.cpu(), log, epochs)


MLP = Architecture(
    options=MLPConfig,
    choose=choose_mlp,
    fit=fit_mlp,
    network=EmbeddingMLP,
    summary="an MLP over the concatenation of a user's and an item's embedding (He et al. 2017)",
    uses_features=False,
    predict_levels=None,
)
