"""The default architecture: ratings in, a `FactorNetwork` out. See model/factor_network.py for its equation.

1. choose the rating block's noise and sweeps on an inner split (train/factors/choose.py), the number of factors
   (train/factors/choose_number.py), and with `--split time` the drift on the last of the training rows
   (train/factors/drift.py);
2. fit the rating block to standardised ratings, the score block to their normal scores (train/factors/fit_blocks.py);
3. train the ordinal network on the score block, each row left out (train/factors/ordinal_fit.py);
4. encode every user from their ratings into the user table, the empty history last (train/factors/assemble.py).

All of it runs on the GPU, if there is one. Random numbers come from the processor, except those of dropout.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from model.factor_network import FactorNetwork
from model.ordinal import OrdinalHead
from model.scale import RatingScale
from train import distributed
from train.config import TrainConfig
from train.dataset.tensors import Ratings, TrainingSet
from train.factors.assemble import assemble, fill_user_table
from train.factors.choose import choose_noise
from train.factors.choose_number import choose_number, score_sweeps_with
from train.factors.config import FactorsConfig
from train.factors.drawn_rows import drawn_rows
from train.factors.drift import Drift, add_drift, measure_drift, strangers_of
from train.factors.fit_blocks import fit_blocks
from train.factors.levels import Levels, levels_of_counts, mean_and_deviation
from train.factors.ordinal_fit import fit_ordinal
from train.factors.predict_levels import predict_levels
from train.factors.variational import Block
from train.fit_log import FitLog
from train.method import Architecture, Choice, Fitted
from train.resume import NO_STAGES, Stages


def choose_factors(data: TrainingSet, scale: RatingScale, config: TrainConfig, stages: Stages = NO_STAGES) -> Choice:
    """Noise shapes, sweeps and factors, by the error on an inner split; with `--split time`, the drift too."""
    if before := stages.load("choose"):
        return Choice(before.values["settings"], FitLog(**before.values["log"]), before.values["reasons"])
    device = distributed.device()
    mean, deviation = mean_and_deviation(*_counts(data.ratings.rating))
    target = ((data.ratings.rating - mean) / deviation).to(device)
    features = None if data.features is None else data.features.to(device)
    rows, options, seed = data.ratings.to(device), config.factors, config.seed
    noise_shapes, sweeps, log = choose_noise(rows, target, options, seed, features)
    number = choose_number(rows, target, noise_shapes, sweeps, options, seed, features)
    settings = {"noise": list(noise_shapes), "sweeps": number.sweeps, "factors": number.factors}
    watched_mse = [error * deviation**2 for error in log.watched_mse]
    reasons = {"factors": number.reason} if number.reason else {}
    choice = Choice(settings, FitLog([], watched_mse, sweeps), reasons)
    if config.learns_drift:
        choice = _by_time(choice, data, scale, config, stages)
    stages.save("choose", {}, {"settings": choice.settings, "log": vars(choice.log), "reasons": choice.reasons})
    return choice


def fit_factors(
    data: TrainingSet,
    scale: RatingScale,
    config: TrainConfig,
    choice: Choice,
    label: str,
    stages: Stages = NO_STAGES,
) -> Fitted:
    """A network fitted with the chosen settings.

    Raises:
        DivergedError: a number of the fit is no longer finite.
    """
    options = config.factors
    distinct, number = _counts(data.ratings.rating)
    levels = levels_of_counts(distinct, number, options.max_levels)
    mean, deviation = mean_and_deviation(distinct, number)
    rating_block, score_block = fit_blocks(data, levels, (mean, deviation), config, choice, label, stages)
    ratings = data.ratings.to(distributed.device())
    by_time = "drift" in choice.settings
    rows = torch.from_numpy(drawn_rows(data, config).place).to(ratings.rating.device)
    head = _fit_head(levels, score_block, ratings, rows, scale, config, deviation, stages, label, by_time)
    cpu = torch.device("cpu")
    network = assemble(
        rating_block.to(cpu),
        score_block.to(cpu),
        head.to(cpu),
        data.ratings,
        (mean, deviation),
        scale,
        options.rating_weight,
        by_time,
    )
    if by_time:
        add_drift(network, Drift(**choice.settings["drift"]))
    fill_user_table(network.to(distributed.device()), ratings)
    sweeps = choice.settings["sweeps"] + score_sweeps_with(network.size - 1, options)
    passes = sweeps + options.epochs
    return Fitted(network.to(cpu), FitLog(), passes)


def _by_time(choice: Choice, data: TrainingSet, scale: RatingScale, config: TrainConfig, stages: Stages) -> Choice:
    """The choice with the drift of the last training rows by time, the share that the split holds out."""
    none = replace(choice, settings={**choice.settings, "drift": Drift(0.0, 0.0)._asdict()})

    def fit(rows: TrainingSet) -> FactorNetwork:
        network = fit_factors(rows, scale, config, none, "by time", stages).network
        assert isinstance(network, FactorNetwork)
        return network

    drift = measure_drift(data, config.test_size, fit)
    return none if drift is None else replace(choice, settings={**choice.settings, "drift": drift._asdict()})


def _counts(rating: Tensor) -> tuple[Tensor, Tensor]:
    """Distinct ratings (D,), ascending, and how often each occurs."""
    distinct, number = torch.unique(rating, return_counts=True)
    return distinct, number


def _fit_head(
    levels: Levels,
    score_block: Block,
    ratings: Ratings,
    rows: Tensor,
    scale: RatingScale,
    config: TrainConfig,
    deviation: float,
    stages: Stages,
    label: str,
    by_time: bool,
) -> OrdinalHead:
    """The ordinal network on the score block, trained or loaded from an earlier run."""
    options = config.factors
    stage = f"{label}: network"
    head = start_head(levels, scale, config, score_block.user.mean.shape[1] - 1)
    if before := stages.load(stage):
        head.load_state_dict(before.tensors)
        return head.eval()
    distributed.seed_dropout(config.seed)
    head.to(ratings.rating.device)
    count = torch.bincount(ratings.movie_index, minlength=len(score_block.movie.mean))
    strangers = strangers_of(score_block, count) if by_time else None
    fit_ordinal(head, score_block, ratings, deviation / scale.span, options, label, rows, strangers)
    stages.save(stage, head.state_dict(), {})
    return head


def start_head(levels: Levels, scale: RatingScale, config: TrainConfig, factors: int) -> OrdinalHead:
    """The ordinal network before its training; seeds PyTorch's global generator, which the training draws from."""
    options = config.factors
    torch.manual_seed(config.seed)
    return OrdinalHead(
        levels.edges,
        scale.to_unit(levels.value),
        levels.share,
        levels.score,
        factors,
        options.hidden_dim,
        options.dropout,
    )


FACTORS = Architecture(
    options=FactorsConfig,
    choose=choose_factors,
    fit=fit_factors,
    network=FactorNetwork,
    summary="two variational factor models with closed-form user vectors, and a small ordinal network",
    uses_features=True,
    predict_levels=predict_levels,
)
