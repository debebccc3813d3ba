"""Training of the ordinal network on top of block B.

Loss: half the cross-entropy over rating levels, half the squared error of the expected rating in units of the
ratings' variance, on leave-one-out inputs (train/leave_one_out.py): every row sees the vectors and level counts that
its user and movie would have without it. Optimiser: AdamW (Loshchilov & Hutter 2019), one cycle.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from model.ordinal import OrdinalHead, expectation
from train.config import FactorsConfig
from train.errors import DivergedError
from train.leave_one_out import leave_one_out
from train.tensors import Ratings
from train.variational import Block

_INPUT_ROWS = 16_384


def fit_ordinal(
    head: OrdinalHead, block: Block, ratings: Ratings, deviation: float, config: FactorsConfig, label: str
) -> None:
    """Trains `head` in place. deviation: of the ratings, in unit scores.

    Draws rows, batches and dropout from PyTorch's global generator, which the caller seeds.

    Raises:
        DivergedError: the loss stopped being finite.
    """
    level = head.level(ratings.rating)
    by_user = head.histogram(ratings.user_index, level, len(block.user.mean))
    by_movie = head.histogram(ratings.movie_index, level, len(block.movie.mean))
    rows = torch.randperm(len(ratings))[: config.network_rows]
    ratings, level = ratings.take(rows), level[rows]
    score, user, movie = _inputs(block, ratings, head.score[level])
    steps = max(1, len(rows) // config.batch_size)
    optimizer = torch.optim.AdamW(
        head.parameters(), config.learning_rate, betas=(0.9, 0.98), weight_decay=config.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.learning_rate, total_steps=steps * config.epochs, pct_start=0.2, final_div_factor=100.0
    )
    head.train()
    for _ in tqdm(range(config.epochs), desc=f"{label}: network", unit=" epochs", dynamic_ncols=True, disable=None):
        for batch in torch.randperm(len(rows)).tensor_split(steps):
            own = functional.one_hot(level[batch], head.num_levels).float()
            users = head.user_tower(user[batch], by_user[ratings.user_index[batch]] - own)
            movies = head.movie_tower(movie[batch], by_movie[ratings.movie_index[batch]] - own)
            product = user[batch, 1:] * movie[batch, 1:]
            loss = _loss(head, head.logits(users + movies, product, score[batch]), level[batch], deviation)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
    if not math.isfinite(float(loss.detach())):
        raise DivergedError("training diverged: try a smaller --factors.learning-rate")
    head.eval()


def _inputs(block: Block, ratings: Ratings, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Leave-one-out scores (R,) and vectors, (R, K) each, a part of the rows at a time."""
    columns = (ratings.user_index, ratings.movie_index, target)
    parts = zip(*(column.split(_INPUT_ROWS) for column in columns), strict=True)
    score, user, movie = zip(*(leave_one_out(block, *part) for part in parts), strict=True)
    return torch.cat(score), torch.cat(user), torch.cat(movie)


def _loss(head: OrdinalHead, logit: Tensor, level: Tensor, deviation: float) -> Tensor:
    expected, normaliser = expectation(logit, head.unit)
    entropy = (normaliser - logit.gather(1, level.unsqueeze(1)).squeeze(1)).mean()
    squared = ((expected - head.unit[level]) / deviation).square().mean()
    return 0.5 * entropy + 0.5 * squared
