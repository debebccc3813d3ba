"""One factor block, fitted by mean-field variational Bayes in closed-form sweeps.

    y_ij = b_i + c_j + u_i . v_j + e_ij,    e_ij ~ N(0, 1 / (alpha gamma_i delta_j))
    (b_i, u_i) ~ N(mu, Lambda_user^-1),     (c_j, v_j) ~ N(B' z_j, Lambda_movie^-1)
    gamma_i ~ Gamma(s_user / 2, s_user / 2),  delta_j ~ Gamma(s_movie / 2, s_movie / 2)

z_j = (1, log n_j, what the catalogue tells of the movie), n_j its number of ratings. Lambda, mu, B and alpha by
empirical Bayes, so there is nothing to tune but the number of factors, the noise shapes and the number of sweeps.

Sources: Lim & Teh 2007 (variational Bayes for ratings); Salakhutdinov & Mnih 2008 (Bayesian matrix factorisation);
Lakshminarayanan, Bouchard & Archambeau 2011 (noise by user and by movie); Adams, Dahl & Murray 2010, Simm et al.
2015 (side information in the prior mean).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from model.moments import triangle
from train.errors import DivergedError
from train.factors.config import FactorsConfig
from train.factors.posterior import Side, SideRows, sort_by_side, update_side

NoiseShapes = tuple[float, float]  # of the Gamma distributions of noise precisions, by user and by movie

FIRST_ALPHA = 1.5
MOST_ALPHA = 1e4  # noise of less than a hundredth of the target's deviation: only made-up data reach it


@dataclass(frozen=True)
class BothSides:
    """A data set in the order of users and in that of movies, with its target (R,) in each."""

    by_user: SideRows
    by_movie: SideRows
    user_target: Tensor
    movie_target: Tensor

    def with_target(self, target: Tensor) -> BothSides:
        """The same ratings with another target (R,), in the order that the ratings were given in."""
        return BothSides(self.by_user, self.by_movie, target[self.by_user.order], target[self.by_movie.order])


@dataclass
class Block:
    """A factor model in units of its target. noise_shapes: (s_user, s_movie)."""

    user: Side
    movie: Side
    alpha: float
    noise_shapes: NoiseShapes
    sweeps: int = 0

    def to(self, device: torch.device) -> Block:
        """The same on another device."""
        return Block(self.user.to(device), self.movie.to(device), self.alpha, self.noise_shapes, self.sweeps)


def sort_both(user_index: Tensor, movie_index: Tensor, target: Tensor, num_users: int, num_movies: int) -> BothSides:
    """Ratings (R,) sorted both ways."""
    by_user = sort_by_side(user_index, movie_index, num_users)
    by_movie = sort_by_side(movie_index, user_index, num_movies)
    return BothSides(by_user, by_movie, target[by_user.order], target[by_movie.order])


def start_block(
    data: BothSides,
    noise_shapes: NoiseShapes,
    factors: int,
    config: FactorsConfig,
    seed: int,
    features: Tensor | None,
    popularity: Tensor | None = None,
) -> Block:
    """Users at zero, movies' factors at random; features (M, D) of the movies, or None. All on the data's device.

    popularity (M,): what stands for log n_j, where the numbers of ratings do not say it.
    """
    user = _first_users(len(data.by_user.count), factors, config, data.by_user.count.device)
    movie = first_movies(data.by_movie.count, factors, config, seed, features, popularity)
    return Block(user, movie, FIRST_ALPHA, noise_shapes)


def start_from(fitted: Block, noise_shapes: NoiseShapes) -> Block:
    """A block for a similar target of the same ratings, which starts where another block ended."""
    return Block(replace(fitted.user), replace(fitted.movie), fitted.alpha, noise_shapes, sweeps=1)


def sweep_block(block: Block, data: BothSides, config: FactorsConfig) -> None:
    """Users given movies, movies given users, and each side's prior and noise after it.

    Raises:
        DivergedError: the noise's precision is no longer a finite number.
    """
    user, movie = block.user, block.movie
    user_shape, movie_shape = block.noise_shapes
    user.mean, user.covariance, error = update_side(data.by_user, data.user_target, block.alpha, movie, user)
    user.noise_precision = noise_precision(user_shape, data.by_user.count, error / user.noise_precision)
    if block.sweeps:  # at first the movies are random: nothing to learn a prior from
        update_prior(user, data.by_user.count, config)
    movie.mean, movie.covariance, error = update_side(data.by_movie, data.movie_target, block.alpha, user, movie)
    relative = error / movie.noise_precision
    movie.noise_precision = noise_precision(movie_shape, data.by_movie.count, relative)
    update_prior(movie, data.by_movie.count, config)
    expected = float((relative * movie.noise_precision).sum())
    if not math.isfinite(expected):
        raise DivergedError(f"training diverged (expected error {expected}): try fewer --factors.factors")
    block.alpha = min(block.alpha * len(data.user_target) / max(expected, 1e-30), MOST_ALPHA)
    block.sweeps += 1


def finish_block(block: Block, data: BothSides) -> None:
    """Users once more, so that they match the last movies."""
    user = block.user
    user.mean, user.covariance, _ = update_side(data.by_user, data.user_target, block.alpha, block.movie, user)


def with_unknown(side: Side) -> Tensor:
    """Means (N + 1, K), the last row that of an entity of which nothing is known: the prior mean at features 0."""
    return torch.cat([side.mean, side.link[:1]])


def bilinear(user: Tensor, movie: Tensor) -> Tensor:
    """b + c + u . v of rows (B, K) and (B, K), (B,)."""
    return user[:, 0] + movie[:, 0] + (user[:, 1:] * movie[:, 1:]).sum(1)


def predict_target(block: Block, user_index: Tensor, movie_index: Tensor) -> Tensor:
    """The block's predictions (B,) for pairs of rows."""
    return bilinear(with_unknown(block.user)[user_index], with_unknown(block.movie)[movie_index])


def _first_users(num_users: int, factors: int, config: FactorsConfig, device: torch.device) -> Side:
    """All at zero. A user's number of ratings is no feature: it says little of a new user, who has none."""
    mean = torch.zeros(num_users, factors + 1, device=device)
    return _first_side(mean, 8.0 * config.init_scale, features=torch.ones(num_users, 1, device=device))


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
    return _first_side(mean, 4.0, features=torch.cat(columns, 1))


def _first_side(mean: Tensor, factor_precision: float, features: Tensor) -> Side:
    num, size = mean.shape
    return Side(
        mean=mean,
        covariance=mean.new_zeros(num, size * (size + 1) // 2),
        precision=torch.diag(mean.new_tensor([4.0] + [factor_precision] * (size - 1))),
        features=features,
        link=mean.new_zeros(features.shape[1], size),
        noise_precision=mean.new_ones(num),
    )


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
    strength = config.prior_rows * size
    expected = strength * config.prior_variance * torch.eye(size, device=rest.device)
    scatter = rest.T @ rest + covariance_sum + expected
    side.precision = torch.linalg.inv(scatter / (float(rated.sum()) + strength))
