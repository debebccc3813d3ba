"""Training of the ordinal network on top of the score block.

Loss: half the cross-entropy over rating levels, half the squared error of the expected rating in units of the
ratings' variance, on leave-one-out inputs (train/factors/leave_one_out.py): every row sees the vectors and level
counts that its user and movie would have without it. Optimiser: AdamW (Loshchilov & Hutter 2019), one cycle.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from model.ordinal import OrdinalHead, expectation
from train import distributed
from train.dataset.tensors import Ratings
from train.errors import DivergedError
from train.factors.config import FactorsConfig
from train.factors.leave_one_out import leave_one_out
from train.factors.variational import Block

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
    indices = (ratings.user_index, block.user), (ratings.movie_index, block.movie)
    counts = tuple(head.histogram(index, level, len(side.mean)) for index, side in indices)
    rows = _permutation(len(ratings), level.device)[: config.network_rows]
    ratings, level = ratings.take(rows), level[rows]
    inputs, widths = _inputs(head, block, ratings, level, counts)
    steps = max(1, len(rows) // config.batch_size)
    optimizer = torch.optim.AdamW(
        head.parameters(), config.learning_rate, betas=(0.9, 0.98), weight_decay=config.weight_decay, fused=True
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.learning_rate, total_steps=steps * config.epochs, pct_start=0.2, final_div_factor=100.0
    )
    size, epochs = block.user.mean.shape[1], range(config.epochs)
    head.train()
    for _ in tqdm(epochs, f"{label}: network", unit=" epochs", dynamic_ncols=True, disable=distributed.quiet()):
        for batch in _permutation(len(rows), level.device).tensor_split(steps):
            own = distributed.share(batch)
            score, user, movie = inputs.index_select(0, own).split(widths, 1)
            product = user[:, 1:size] * movie[:, 1:size]
            logit = head.logits(head.user(user) + head.movie(movie), product, score[:, 0])
            loss = _loss(head, logit, level[own], deviation)
            if len(own) < len(batch):  # the sum over processes is the mean over the batch
                loss = loss * (len(own) / len(batch)) if len(own) else logit.sum()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            distributed.reduce_gradients(head.parameters())
            optimizer.step()
            schedule.step()
    if not math.isfinite(float(distributed.reduce_sum(loss.detach()))):
        raise DivergedError("training diverged: try a smaller --factors.learning-rate")
    head.eval()


def _permutation(num: int, device: torch.device) -> Tensor:
    """Numbers 0 to num - 1 in an order drawn on the processor, the same in every process."""
    return distributed.agree(torch.randperm(num, device="cpu").to(device))


def _inputs(
    head: OrdinalHead, block: Block, ratings: Ratings, level: Tensor, counts: tuple[Tensor, ...]
) -> tuple[Tensor, list[int]]:
    """What the network sees of each row, left out: its score and what the towers see, side by side; and the widths."""
    parts = []
    for rows in torch.arange(len(level), device=level.device).split(_INPUT_ROWS):
        user_index, movie_index, own = ratings.user_index[rows], ratings.movie_index[rows], level[rows]
        score, user, movie = leave_one_out(block, user_index, movie_index, head.score[own])
        itself = functional.one_hot(own, head.num_levels).float()
        users = head.describe_user(user, counts[0][user_index] - itself)
        movies = head.describe_movie(movie, counts[1][movie_index] - itself)
        parts.append(torch.cat([score.unsqueeze(1), users, movies], 1))
    return torch.cat(parts), [1, users.shape[1], movies.shape[1]]


def _loss(head: OrdinalHead, logit: Tensor, level: Tensor, deviation: float) -> Tensor:
    expected, normaliser = expectation(logit, head.unit)
    entropy = (normaliser - logit.gather(1, level.unsqueeze(1)).squeeze(1)).mean()
    squared = ((expected - head.unit[level]) / deviation).square().mean()
    return 0.5 * entropy + 0.5 * squared
