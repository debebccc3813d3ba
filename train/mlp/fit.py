"""Training of the reference network: ratings in, a fitted network out.

The loss of a batch is the squared error in rating units, summed or averaged. The optimiser is Adam (Kingma & Ba 2015)
with L2. Three tensors hold the whole data set; a batch is a slice of a permutation. Early stopping watches rows that
no step trains on, and keeps the best epoch's parameters. With several processes, each takes its share of every batch.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from model.network import EmbeddingMLP
from model.scale import RatingScale
from train import distributed
from train.dataset.tensors import Ratings
from train.errors import DivergedError
from train.fit_log import FitLog
from train.mlp import epoch_state
from train.mlp.config import MLPConfig
from train.predict import mean_squared_error
from train.resume import NO_STAGES, Stages


def build_network(config: MLPConfig, num_users: int, num_movies: int, seed: int) -> EmbeddingMLP:
    """A new network with the configured sizes; `seed` determines its random parameters."""
    torch.manual_seed(seed)
    return EmbeddingMLP(
        num_users,
        num_movies,
        config.embedding_dim,
        config.hidden_dims,
        config.dropout,
        config.embedding_dropout,
    )


def fit(
    network: EmbeddingMLP,
    ratings: Ratings,
    scale: RatingScale,
    config: MLPConfig,
    *,
    seed: int,
    epochs: int,
    watched: Ratings | None = None,
    label: str = "train",
    stages: Stages = NO_STAGES,
) -> FitLog:
    """Trains `network` in place, for `epochs` or, with `watched` rows, until `config.patience` runs out.
    `stages` saves every epoch under the label. Training resumes from an earlier run's saved epoch.

    Raises:
        DivergedError: the loss is no longer finite; the network is then useless.
    """
    stage = f"{label}: epochs"
    optimizer = torch.optim.Adam(
        network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
    )
    generator = torch.Generator().manual_seed(seed)
    distributed.seed_dropout(seed)
    log = FitLog()
    best_state: dict[str, Tensor] = {}
    if before := stages.load(stage):
        best_state = epoch_state.unpack(before.tensors, network, optimizer, generator)
        log = FitLog(**before.values)
    with _progress(label, epochs * len(ratings), len(log.train_mse) * len(ratings)) as progress:
        while not _ended(log, epochs, config.patience):
            log.train_mse.append(_run_epoch(network, ratings, scale, config, optimizer, generator, progress))
            log.best_epoch = len(log.train_mse)
            if watched is not None:
                log.watched_mse.append(distributed.agree_on(mean_squared_error(network, watched, scale)))
                log.best_epoch = 1 + log.watched_mse.index(min(log.watched_mse))
                progress.set_postfix(train=f"{log.train_mse[-1]:.4f}", inner=f"{log.watched_mse[-1]:.4f}")
                if log.best_epoch == len(log.watched_mse):
                    best_state = copy.deepcopy(network.state_dict())
            stages.save(stage, epoch_state.pack(network, optimizer, generator, best_state), asdict(log))
    if best_state:
        network.load_state_dict(best_state)
    network.eval()
    return log


def _progress(label: str, total: int, done: int) -> tqdm:
    """A bar of ratings."""
    bar: dict[str, Any] = {"unit": " ratings", "unit_scale": True, "dynamic_ncols": True}
    return tqdm(total=total, initial=done, desc=label, disable=distributed.quiet(), **bar)


def _ended(log: FitLog, epochs: int, patience: int) -> bool:
    """Whether all epochs are done, or enough of them without a better watched error."""
    done = len(log.train_mse)
    return done >= epochs or (bool(log.watched_mse) and done - log.best_epoch >= patience)


@contextmanager
def _rounding_tiny_numbers() -> Iterator[None]:
    """Rounds numbers below 1e-38 to zero.

    Adam's averages for rows that no step touches fade to such numbers, and with them a step takes 20 times as long.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


@_rounding_tiny_numbers()
def _run_epoch(
    network: EmbeddingMLP,
    ratings: Ratings,
    scale: RatingScale,
    config: MLPConfig,
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
    progress: tqdm,
) -> float:
    """One pass over the ratings in random order; returns the mean squared error during the pass."""
    network.train()
    order = torch.randperm(len(ratings), generator=generator).to(ratings.rating.device)
    shuffled = ratings.take(order)
    total = torch.zeros((), dtype=torch.float64, device=order.device)
    for start in range(0, len(ratings), config.batch_size):
        batch = slice(start, start + config.batch_size)
        user = distributed.share(shuffled.user_index[batch])
        movie = distributed.share(shuffled.movie_index[batch])
        rating = distributed.share(shuffled.rating[batch])
        rows = min(config.batch_size, len(ratings) - start)
        squared_error = (scale.to_rating(network(user, movie)) - rating).square().sum()
        loss = squared_error if config.loss_reduction == "sum" else squared_error / rows
        optimizer.zero_grad()
        loss.backward()
        distributed.reduce_gradients(network.parameters())
        optimizer.step()
        total += squared_error.detach()
        progress.update(rows)
    mse = float(distributed.reduce_sum(total)) / len(ratings)
    if not math.isfinite(mse):
        raise DivergedError(f"training diverged (loss {mse}): try a smaller --mlp.learning-rate")
    return mse
