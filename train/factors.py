"""The default architecture: ratings in, a `FactorNetwork` out. See model/factor_network.py for its equation.

1. choose block A's noise and sweeps on an inner split (train/choose.py);
2. fit block A to standardised ratings, block B to their normal scores (train/variational.py);
3. train the ordinal network on block B, each row left out (train/ordinal_fit.py);
4. encode every user from their ratings into the user table, the empty history last.
"""

from __future__ import annotations

import torch
from torch import Tensor
from tqdm import tqdm

from model.factor_network import FactorNetwork
from model.fold_in import FoldIn
from model.moments import triangle
from model.ordinal import OrdinalHead
from model.scale import RatingScale
from train.choose import choose_noise
from train.config import FactorsConfig, TrainConfig
from train.encode import encode_known_users, encode_unknown_user
from train.fit import FitLog
from train.levels import rating_levels
from train.method import Choice, Fitted
from train.ordinal_fit import fit_ordinal
from train.tensors import Ratings, TrainingSet
from train.variational import Block, BothSides, finish_block, sort_both, start_block, sweep_block, with_unknown


def choose_factors(data: TrainingSet, scale: RatingScale, config: TrainConfig) -> Choice:
    """Noise shapes and sweeps of block A, by the error on an inner split."""
    del scale  # the choice is made on standardised ratings
    mean, deviation = _standard(data.ratings.rating)
    target = (data.ratings.rating - mean) / deviation
    noise, sweeps, log = choose_noise(data.ratings, target, config.factors, config.seed, data.features)
    watched = [error * deviation**2 for error in log.watched_mse]
    return Choice({"noise": list(noise), "sweeps": sweeps}, FitLog([], watched, sweeps))


def fit_factors(data: TrainingSet, scale: RatingScale, config: TrainConfig, choice: Choice, label: str) -> Fitted:
    """A network fitted with what was chosen.

    Raises:
        DivergedError: something stopped being finite.
    """
    ratings, options = data.ratings, config.factors
    levels = rating_levels(ratings.rating, options.max_levels)
    mean, deviation = _standard(ratings.rating)
    sides = sort_both(
        ratings.user_index,
        ratings.movie_index,
        (ratings.rating - mean) / deviation,
        len(data.user_ids),
        len(data.movie_ids),
    )
    user_shape, movie_shape = choice.settings["noise"]
    sweeps = choice.settings["sweeps"]
    total = sweeps + options.rank_sweeps
    with tqdm(total=total, desc=label, unit=" sweeps", dynamic_ncols=True, disable=None) as progress:
        noise = (user_shape, movie_shape)
        linear = _fit_block(sides, noise, sweeps, options, config.seed, data.features, progress)
        scored = sides.with_target(levels.score[levels.of(ratings.rating)])
        rank = _fit_block(
            scored, options.rank_noise, options.rank_sweeps, options, config.seed + 1, data.features, progress
        )
    torch.manual_seed(config.seed)
    unit = scale.to_unit(levels.value)
    head = OrdinalHead(
        levels.edges, unit, levels.share, levels.score, options.factors, options.hidden_dim, options.dropout
    )
    fit_ordinal(head, rank, ratings, deviation / scale.span, options, label)
    network = _assemble(linear, rank, head, ratings, (mean, deviation), scale, options.linear_weight)
    encode_known_users(network, ratings, torch.arange(network.num_users))
    encode_unknown_user(network)
    return Fitted(network, FitLog(), total + options.epochs)


def _standard(rating: Tensor) -> tuple[float, float]:
    """Mean and standard deviation; the latter never 0."""
    deviation = float(rating.std()) if len(rating) > 1 else 1.0
    return float(rating.mean()), max(deviation, 1e-6)


def _fit_block(
    data: BothSides,
    noise: tuple[float, float],
    sweeps: int,
    config: FactorsConfig,
    seed: int,
    features: Tensor | None,
    progress: tqdm,
) -> Block:
    block = start_block(data, noise, config, seed, features)
    for _ in range(sweeps):
        sweep_block(block, data, config)
        progress.update()
    finish_block(block, data)
    return block


def _assemble(
    linear: Block,
    rank: Block,
    head: OrdinalHead,
    ratings: Ratings,
    standard: tuple[float, float],
    scale: RatingScale,
    linear_weight: float,
) -> FactorNetwork:
    """The served network with its movie table; the user table is still empty."""
    num_users, num_movies = len(rank.user.mean), len(rank.movie.mean)
    with torch.inference_mode():
        vectors = with_unknown(rank.movie)
        counts = head.histogram(ratings.movie_index, head.level(ratings.rating), num_movies + 1)
        movies = torch.cat([with_unknown(linear.movie), vectors, head.movie_tower(vectors, counts)], 1)
    blocks = _encoder(linear), _encoder(rank)
    return (
        FactorNetwork(*blocks, head, movies.clone(), num_users, standard, scale, linear_weight)
        .eval()
        .requires_grad_(False)
    )


def _encoder(block: Block) -> FoldIn:
    """A user encoder against the block's movies; the unknown movie is as uncertain as the prior."""
    movie, user = block.movie, block.user
    row, column, _ = triangle(movie.mean.shape[1])
    uncertain = torch.linalg.inv(movie.precision)[row, column].unsqueeze(0)
    return FoldIn(
        with_unknown(movie),
        torch.cat([movie.covariance, uncertain]),
        block.alpha * torch.cat([movie.noise, torch.ones(1)]),
        user.link[0],
        user.precision,
        block.noise[0],
        movie.link[1],
    )
