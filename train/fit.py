"""Training of the reference network: ratings in, a fitted network out.

Loss of a batch: squared error in rating units, summed or averaged; optimiser: Adam (Kingma & Ba 2015) with L2. The
whole data set lies in three tensors; a batch is a slice of a permutation. Early stopping watches rows that no step
has seen and keeps the best epoch's parameters.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from tqdm import tqdm

from model.network import EmbeddingMLP
from model.scale import RatingScale
from train.config import MLPConfig
from train.errors import DivergedError
from train.tensors import Ratings

_PREDICT_ROWS = 65_536


@dataclass
class FitLog:
    """What happened: per epoch or sweep the mean squared error of training (dropout on) and of the watched rows."""

    train_mse: list[float] = field(default_factory=list)
    watched_mse: list[float] = field(default_factory=list)
    best_epoch: int = 0


def build_network(config: MLPConfig, num_users: int, num_movies: int, seed: int) -> EmbeddingMLP:
    """A fresh network of the configured size, drawn from `seed`."""
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
) -> FitLog:
    """Trains `network` in place, for `epochs` or, with `watched` rows, until `config.patience` runs out.

    Raises:
        DivergedError: the loss stopped being finite; the network is then worthless.
    """
    optimizer = torch.optim.Adam(
        network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
    )
    generator = torch.Generator().manual_seed(seed)
    log, best = FitLog(), math.inf
    best_state: dict[str, Tensor] = {}
    with tqdm(
        total=epochs * len(ratings), desc=label, unit=" ratings", unit_scale=True, dynamic_ncols=True, disable=None
    ) as progress:
        for epoch in range(1, epochs + 1):
            log.train_mse.append(_run_epoch(network, ratings, scale, config, optimizer, generator, progress))
            log.best_epoch = epoch
            if watched is None:
                continue
            log.watched_mse.append(mean_squared_error(network, watched, scale))
            progress.set_postfix(train=f"{log.train_mse[-1]:.4f}", inner=f"{log.watched_mse[-1]:.4f}")
            if log.watched_mse[-1] < best:
                best, best_state = log.watched_mse[-1], copy.deepcopy(network.state_dict())
            log.best_epoch = 1 + log.watched_mse.index(best)
            if epoch - log.best_epoch >= config.patience:
                break
    if best_state:
        network.load_state_dict(best_state)
    network.eval()
    return log


def predict(network: nn.Module, ratings: Ratings, scale: RatingScale) -> Tensor:
    """Predicted ratings (N,) float32 in rating units, dropout off."""
    network.eval()
    with torch.inference_mode():
        parts = zip(ratings.user_index.split(_PREDICT_ROWS), ratings.movie_index.split(_PREDICT_ROWS), strict=True)
        return torch.cat([scale.to_rating(network(user, movie)) for user, movie in parts])


def mean_squared_error(network: nn.Module, ratings: Ratings, scale: RatingScale) -> float:
    """Mean squared error in rating units squared, dropout off."""
    return float((predict(network, ratings, scale) - ratings.rating).square().mean(dtype=torch.float64))


def _run_epoch(
    network: EmbeddingMLP,
    ratings: Ratings,
    scale: RatingScale,
    config: MLPConfig,
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
    progress: tqdm,
) -> float:
    """One pass over the ratings in random order; the mean squared error seen on the way."""
    network.train()
    order = torch.randperm(len(ratings), generator=generator).to(ratings.rating.device)
    shuffled = ratings.take(order)
    total = torch.zeros((), dtype=torch.float64, device=order.device)
    for start in range(0, len(ratings), config.batch_size):
        part = slice(start, start + config.batch_size)
        unit = network(shuffled.user_index[part], shuffled.movie_index[part])
        loss = (scale.to_rating(unit) - shuffled.rating[part]).square().sum()
        optimizer.zero_grad()
        (loss if config.loss_reduction == "sum" else loss / len(unit)).backward()
        optimizer.step()
        total += loss.detach()
        progress.update(len(unit))
    mse = float(total) / len(ratings)
    if not math.isfinite(mse):
        raise DivergedError(f"training diverged (loss {mse}): try a smaller --mlp.learning-rate")
    return mse
