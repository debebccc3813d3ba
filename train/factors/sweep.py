"""A sweep of one factor block, fused: the users of each part are solved and at once added to the movies' sums.

A user's update needs the movies' posteriors and the user's own noise, and no earlier row of the user, so between sweeps
a user is one float. Of several processes each has parts of its own: the sums of movies travel, and rows of users never
do.

    each process: solve its users, add up its parts' sums; exchange the sums by ranges of movies; solve the own range;
    gather the new rows of all movies; update priors and noise, which every process does alike.

Shapes: M movies, K = 1 + factors, T = K (K + 1) / 2,
n users of a part, S = T + 2K + 3 sums.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from model.moments import triangle
from train.cores import in_order
from train.errors import DivergedError
from train.factors.config import FactorsConfig
from train.factors.exchange import Exchange, PartSum
from train.factors.posterior import Side, Sums, Tables, chunks, solve, sums_of, tables_of, update_side
from train.factors.prior import first_movies, first_precision, noise_precision, prior_precision, update_prior
from train.factors.user_part import UserPart

NoiseShapes = tuple[float, float]  # of the Gamma distributions of noise precisions, by user and by movie

_FIRST_ALPHA = 1.5
_MOST_ALPHA = 1e4  # noise of less than a hundredth of the target's deviation: only made-up data reach it
_MOST_SUMS = 1 << 28  # sums (M, S) of the parts that are worked on at a time: 1 GiB
_BLOCK = 1024  # movies that are solved together, whatever the number of processes


@dataclass
class BlockState:
    """A block between two sweeps, alike in every process but for `noise`, which holds the own parts' users.

    link (1, K) and precision (K, K): the users' prior. noise: by part (n,), the users' relative noise precision.
    """

    movie: Side
    link: Tensor
    precision: Tensor
    alpha: float
    noise_shapes: NoiseShapes
    noise: dict[int, Tensor]
    sweeps: int = 0

    def users(self, part: int) -> Side:
        """The prior and the noise of a part's users, whose means and covariances are not computed."""
        noise, size = self.noise[part], self.link.shape[1]
        none = noise.new_empty(0, size), noise.new_empty(0, size * (size + 1) // 2)
        return Side(*none, self.precision, noise.new_ones(len(noise), 1), self.link, noise)


@dataclass(frozen=True)
class SweepData:
    """What a sweep works on: the parts of this process, and how many ratings each movie has in all parts (M,).

    targets: of a part's ratings (R,), by part, in the order of its by_user and by_movie.
    """

    exchange: Exchange
    parts: Sequence[UserPart]
    movie_count: Tensor
    targets: dict[int, tuple[Tensor, Tensor]]

    @property
    def ratings(self) -> int:
        """Ratings of all parts."""
        return round(float(self.movie_count.double().sum()))


def start_state(
    data: SweepData,
    noise_shapes: NoiseShapes,
    factors: int,
    config: FactorsConfig,
    seed: int,
    features: Tensor | None,
    popularity: Tensor | None = None,
) -> BlockState:
    """Users at zero, movies' factors at random; features (M, D) of the movies, or None. All on the data's device.

    popularity (M,): what stands for the logarithm of a movie's number of ratings, where that does not say it.
    """
    movie = first_movies(data.movie_count, factors, config, seed, features, popularity)
    noise = {part.number: torch.ones_like(part.by_user.count) for part in data.parts}
    link = movie.mean.new_zeros(1, factors + 1)
    precision = first_precision(link, 8.0 * config.init_scale)
    return BlockState(movie, link, precision, _FIRST_ALPHA, noise_shapes, noise)


def start_from(before: BlockState, noise_shapes: NoiseShapes) -> BlockState:
    """A block for a similar target of the same ratings, which starts where another block ended."""
    return replace(before, movie=replace(before.movie), noise_shapes=noise_shapes, noise=dict(before.noise), sweeps=1)


def sweep(
    state: BlockState, data: SweepData, config: FactorsConfig, solved: Callable[[int, Side], object] | None = None
) -> None:
    """Users given movies, movies given users, and each side's prior and noise after it.

    solved: called with the number and the users of each part once it is done.

    Raises:
        DivergedError: the noise's precision is no longer a finite number.
    """
    tables = tables_of(state.movie)
    sums, statistics = data.exchange.new_sum(), data.exchange.new_sum()

    def work(part: UserPart) -> tuple[Side, Tensor, Tensor]:
        user_target, movie_target = data.targets[part.number]
        user, error = solve_users(state, part, user_target, tables)
        user.noise_precision = noise_precision(state.noise_shapes[0], part.by_user.count, error / user.noise_precision)
        return user, _statistics(user, part), _movie_sums(user, part, movie_target, len(data.movie_count))

    size = state.link.shape[1]
    most = max(1, _MOST_SUMS // (len(data.movie_count) * (size * (size + 1) // 2 + 2 * size + 3)))
    for part, (user, own_statistics, own_sums) in zip(data.parts, in_order(work, data.parts, most), strict=True):
        state.noise[part.number] = user.noise_precision
        statistics.add(part.number, own_statistics)
        sums.add(part.number, own_sums)
        if solved is not None:
            solved(part.number, user)
    if state.sweeps:  # at first the movies are random: nothing to learn a prior from
        state.link, state.precision = _user_prior(statistics.total(), config, state.link.shape[1])
    _update_movies(state, data, sums, config)
    state.sweeps += 1


def solve_users(state: BlockState, part: UserPart, target: Tensor, tables: Tables) -> tuple[Side, Tensor]:
    """Posterior of a part's users given the movies, and their expected squared errors (n,)."""
    user = state.users(part.number)
    user.mean, user.covariance, error = update_side(part.by_user, target, state.alpha, tables, user)
    return user, error


def _movie_sums(user: Side, part: UserPart, target: Tensor, num_movies: int) -> Tensor:
    """The sums (M, S) of a part's ratings by movie, before the movies' own scale."""
    tables, width = tables_of(replace(user, noise_precision=user.noise_precision * part.copies)), user.mean.shape[1]
    whole = target.new_zeros(num_movies, width * (width + 1) // 2 + 2 * width + 3)
    for movies, ratings in chunks(part.by_movie, len(target), width):
        one = target.new_ones(movies.stop - movies.start, 1)
        found = sums_of(tables, part.by_movie, target, movies, ratings, one)
        whole[part.touched[movies]] = torch.cat([found.moments, found.linear, found.square.unsqueeze(1)], 1)
    return whole


def _statistics(user: Side, part: UserPart) -> Tensor:
    """Of a part's rated users, in float64: [number; sum of means; of their products; of covariances], flat."""
    rated = torch.where(part.by_user.count > 0, part.copies, 0.0)
    mean, number = user.mean.double(), rated.double().unsqueeze(1)
    covariance = (user.covariance.T @ rated).double()
    weighted = mean * number
    return torch.cat([number.sum().view(1), weighted.sum(0), (weighted.T @ mean).flatten(), covariance])


def _user_prior(statistics: Tensor, config: FactorsConfig, size: int) -> tuple[Tensor, Tensor]:
    """The users' link and precision, as `update_prior` finds them with a feature that is 1."""
    number, total, products, covariances = statistics.split([1, size, size * size, size * (size + 1) // 2])
    products, covariance = products.view(size, size), covariances[triangle(size, total.device)[2]].view(size, size)
    link = total / (number + 1e-3)
    rest = products - torch.outer(total, link) - torch.outer(link, total) + number * torch.outer(link, link)
    return link.float().unsqueeze(0), prior_precision(rest + covariance, number, config).float()


def movie_ends(num_movies: int, world: int) -> list[int]:
    """Where the movies of each process begin, and the last ones end, (world + 1,): whole blocks."""
    blocks = -(-num_movies // _BLOCK)
    return [min(blocks * rank // world * _BLOCK, num_movies) for rank in range(world)] + [num_movies]


def _update_movies(state: BlockState, data: SweepData, sums: PartSum, config: FactorsConfig) -> None:
    """Movies given users, their noise and prior, and alpha."""
    movie, exchange = state.movie, data.exchange
    ends = movie_ends(len(data.movie_count), exchange.world)
    whole = exchange.gather(_solve_movies(state, sums.total_of_rows(ends), ends[exchange.rank]), ends)
    size = movie.mean.shape[1]
    movie.mean = whole[:, :size].clone()
    movie.covariance = whole[:, size:-1].T.contiguous().T
    relative = whole[:, -1] / movie.noise_precision
    movie.noise_precision = noise_precision(state.noise_shapes[1], data.movie_count, relative)
    update_prior(movie, data.movie_count, config)
    expected = float((relative * movie.noise_precision).sum())
    if not math.isfinite(expected):
        raise DivergedError(f"training diverged (expected error {expected}): try fewer --factors.factors")
    state.alpha = min(state.alpha * data.ratings / max(expected, 1e-30), _MOST_ALPHA)


def _solve_movies(state: BlockState, own: Tensor, begin: int) -> Tensor:
    """Mean, covariance and error of the movies from row `begin` on, (n, K + T + 1), by their sums (n, S)."""
    movie, size = state.movie, state.movie.mean.shape[1]
    prior_term = movie.features @ movie.link @ movie.precision
    solved = [own.new_empty(0, size + size * (size + 1) // 2 + 1)]
    for first in range(0, len(own), _BLOCK):
        block = own[first : first + _BLOCK]
        rows = slice(begin + first, begin + first + len(block))
        scaled = block * (state.alpha * movie.noise_precision[rows]).unsqueeze(1)
        sums = Sums(scaled[:, : -size - 2].contiguous(), scaled[:, -size - 2 : -1].contiguous(), scaled[:, -1].clone())
        mean, covariance, error = solve(sums, prior_term[rows], movie.precision)
        solved.append(torch.cat([mean, covariance, error.unsqueeze(1)], 1))
    return torch.cat(solved)
