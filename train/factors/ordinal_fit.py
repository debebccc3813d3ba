"""Training of the ordinal network on top of the score block.

Loss: half the cross-entropy over rating levels, half the squared error of the expected rating in units of the
ratings' variance, on leave-one-out inputs (train/factors/leave_one_out.py): every row sees the vectors and level
counts that its user and movie would have without it. Optimiser: AdamW (Loshchilov & Hutter 2019), one cycle.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from model.ordinal import OrdinalHead, expectation
from train import distributed
from train.cores import in_order
from train.dataset.tensors import Ratings
from train.errors import DivergedError
from train.factors.adamw import OneCycleAdamW
from train.factors.config import FactorsConfig
from train.factors.drift import HIDDEN, Strangers
from train.factors.leave_one_out import leave_one_out
from train.factors.systems import rows_at_once
from train.factors.variational import Block, bilinear

_INPUT_ROWS = 16_384  # at a time, with up to 8 factors


def fit_ordinal(
    head: OrdinalHead,
    block: Block,
    ratings: Ratings,
    deviation: float,
    config: FactorsConfig,
    label: str,
    rows: Tensor,
    strangers: Strangers | None = None,
) -> None:
    """Trains `head` in place on the ratings at `rows` (R,). deviation: of the ratings, in unit scores.
    strangers: hide the user of some rows, and the movie of some, behind these.
    Draws batches and dropout from PyTorch's global generator, which the caller seeds.

    Raises:
        DivergedError: the loss stopped being finite.
    """
    level = head.level(ratings.rating)
    user_counts = head.histogram(ratings.user_index, level, len(block.user.mean))
    movie_counts = head.histogram(ratings.movie_index, level, len(block.movie.mean))
    level = level[rows]
    inputs = inputs_of(head, block, ratings.take(rows), level, user_counts, movie_counts)
    if strangers is not None:
        inputs = hide_some(head, inputs, strangers)
    fit_on_inputs(head, inputs, level, deviation, config, label)


def fit_on_inputs(
    head: OrdinalHead, inputs: Inputs, level: Tensor, deviation: float, config: FactorsConfig, label: str
) -> None:
    """Trains `head` in place on rows of this input and of these levels (R,). Draws, and raises, as `fit_ordinal`."""
    steps = max(1, len(level) // config.batch_size)
    optimizer = OneCycleAdamW(head.parameters(), config.learning_rate, config.weight_decay, steps * config.epochs)
    epochs = range(config.epochs)
    head.train()
    for _ in tqdm(epochs, f"{label}: network", unit=" epochs", dynamic_ncols=True, disable=distributed.quiet()):
        for batch in _permutation(len(level), level.device).tensor_split(steps):
            loss = _batch_loss(head, inputs, level, batch, deviation)
            loss.backward()
            distributed.reduce_gradients(head.parameters())
            optimizer.step()
    if not math.isfinite(float(distributed.reduce_sum(loss.detach()))):
        raise DivergedError("training diverged: try a smaller --factors.learning-rate")
    head.eval()


def _permutation(num: int, device: torch.device) -> Tensor:
    """Numbers 0 to num - 1 in an order drawn on the processor, the same in every process."""
    return distributed.agree(torch.randperm(num, device="cpu").to(device))


class Inputs(NamedTuple):
    """What the network sees of each row, left out: the score (R, 1), and what each tower sees of its vector."""

    score: Tensor
    user: Tensor
    movie: Tensor


def inputs_of(
    head: OrdinalHead, block: Block, ratings: Ratings, level: Tensor, user_counts: Tensor, movie_counts: Tensor
) -> Inputs:
    """The inputs of all rows; the counts (N, L) and (M, L) are of the levels that each user and movie has."""

    def inputs(rows: Tensor) -> Inputs:
        user_index, movie_index, own_level = ratings.user_index[rows], ratings.movie_index[rows], level[rows]
        score, user, movie = leave_one_out(block, user_index, movie_index, head.score[own_level])
        itself = functional.one_hot(own_level, head.num_levels).float()
        described = head.describe_user(user, user_counts[user_index] - itself)
        return Inputs(score.unsqueeze(1), described, head.describe_movie(movie, movie_counts[movie_index] - itself))

    at_once = rows_at_once(_INPUT_ROWS, block.user.mean.shape[1])
    found = in_order(inputs, torch.arange(len(level), device=level.device).split(at_once))
    return Inputs(*(torch.cat(columns) for columns in zip(*found, strict=True)))


def hide_some(head: OrdinalHead, inputs: Inputs, strangers: Strangers) -> Inputs:
    """The inputs with the users of some rows, and the movies of some, replaced by strangers without ratings."""
    none = head.share.new_zeros(1, head.num_levels)
    size, rows = len(strangers.user), len(inputs.score)
    no_user, no_movie = (_drawn(rows, none.device) for _ in range(2))
    user = torch.where(no_user, head.describe_user(strangers.user.unsqueeze(0), none), inputs.user)
    movie = torch.where(no_movie, head.describe_movie(strangers.movie.unsqueeze(0), none), inputs.movie)
    score = bilinear(user[:, :size], movie[:, :size]).unsqueeze(1)
    return Inputs(torch.where(no_user | no_movie, score, inputs.score), user, movie)


def _drawn(rows: int, device: torch.device) -> Tensor:
    """A mask (rows, 1) of a share of the rows, drawn on the processor, the same in every process."""
    return distributed.agree(torch.rand(rows, 1, device="cpu").to(device)) < HIDDEN


def _batch_loss(head: OrdinalHead, inputs: Inputs, level: Tensor, batch: Tensor, deviation: float) -> Tensor:
    """The loss of this process's share of a batch of rows (B,); the sum over processes is the mean over the batch."""
    own = distributed.share(batch)
    user, movie = inputs.user.index_select(0, own), inputs.movie.index_select(0, own)
    score = inputs.score.index_select(0, own)[:, 0]
    factors = slice(1, 1 + head.mix.in_features)  # after the bias, and before the shares of the levels
    product = user[:, factors] * movie[:, factors]
    logit = head.logits(head.user(user) + head.movie(movie), product, score)
    if not len(own):
        return logit.sum()
    return _loss(head, logit, level[own], deviation) * (len(own) / len(batch))


def _loss(head: OrdinalHead, logit: Tensor, level: Tensor, deviation: float) -> Tensor:
    """Half the mean cross-entropy, half the mean squared error of the expected rating."""
    expected, normaliser = expectation(logit, head.unit)
    entropy = (normaliser - logit.gather(1, level.unsqueeze(1)).squeeze(1)).mean()
    squared = ((expected - head.unit[level]) / deviation).square().mean()
    return 0.5 * entropy + 0.5 * squared
