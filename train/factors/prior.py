"""Priors and noise of one side of a factor block: where they start, and what they become after an update."""

from __future__ import annotations

import torch
from torch import Tensor

from model.moments import triangle
from train.factors.config import FactorsConfig
from train.factors.posterior import Side


def first_movies(
    count: Tensor,
    factors: int,
    config: FactorsConfig,
    seed: int,
    features: Tensor | None,
    popularity: Tensor | None = None,
) -> Side:
    """Biases at zero, factors at random; count (M,) of ratings."""
    generator = torch.Generator().manual_seed(seed)  # on the processor: the same numbers for any device
    drawn = torch.randn(len(count), factors + 1, generator=generator, device="cpu")
    mean = (drawn * config.init_scale).to(count.device)
    mean[:, 0] = 0
    popular = count.clamp_min(1.0).log() if popularity is None else popularity.to(count.device)
    columns = [torch.ones_like(count).unsqueeze(1), popular.unsqueeze(1)]
    if features is not None:
        columns.append(features.to(count.device))
    num, size = mean.shape
    return Side(
        mean=mean,
        covariance=mean.new_zeros(num, size * (size + 1) // 2),
        precision=first_precision(mean, 4.0),
        features=torch.cat(columns, 1),
        link=mean.new_zeros(sum(column.shape[1] for column in columns), size),
        noise_precision=mean.new_ones(num),
    )


def first_precision(mean: Tensor, of_factors: float) -> Tensor:
    """A prior precision (K, K) to start from, for means (N, K)."""
    return torch.diag(mean.new_tensor([4.0] + [of_factors] * (mean.shape[1] - 1)))


def noise_precision(shape: float, count: Tensor, error: Tensor) -> Tensor:
    """Posterior means (N,) of relative noise precisions, given numbers of ratings and expected squared errors (N,)."""
    return (shape + count) / (shape + error)


def update_prior(side: Side, count: Tensor, config: FactorsConfig) -> None:
    """Empirical Bayes over the rated entities: the link by ridge regression, Lambda from what that leaves."""
    size, rated = side.mean.shape[1], (count > 0).float().unsqueeze(1)
    features = side.features * rated  # entities without ratings say nothing
    ridge = features.new_full((features.shape[1],), config.link_ridge)
    ridge[0] = 1e-3
    side.link = torch.linalg.solve(features.T @ features + torch.diag(ridge), features.T @ side.mean)
    rest = side.mean * rated - features @ side.link
    covariance_sum = (side.covariance.T @ rated).squeeze(1)[triangle(size, rest.device)[2]].view(size, size)
    side.precision = prior_precision(rest.T @ rest + covariance_sum, rated.sum(), config)


def prior_precision(scatter: Tensor, number: Tensor, config: FactorsConfig) -> Tensor:
    """Lambda (K, K) by the scatter (K, K) of so many entities around their prior means."""
    size = len(scatter)
    strength = config.prior_rows * size
    expected = strength * config.prior_variance * torch.eye(size, dtype=scatter.dtype, device=scatter.device)
    precision: Tensor = torch.linalg.inv((scatter + expected) / (number + strength))
    return precision
