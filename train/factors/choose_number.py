"""Chooses the number of factors of the two blocks: 8, 16 or 32.

More factors describe tastes more finely, if there are enough ratings to learn them from, and take more time. So 16 and
32 are tried only where users and movies have at least as many ratings, on average, and where their sweeps fit into a
budget. What is tried is measured on held-out training rows, and more factors are kept only if they are better
by more than chance.

Time is estimated from the numbers of ratings, users and movies, so the same ratings give the same number everywhere.

Shapes: R ratings, B held-out rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from tqdm import tqdm

from train import distributed
from train.dataset.tensors import Ratings
from train.factors.config import FactorsConfig
from train.factors.in_memory import cut_ratings, sweep_and_predict
from train.factors.sweep import NoiseShapes, start_state

LEAST, MORE = 8, (16, 32)
_HELD_OUT = 0.05
_SWEEPS = 8  # of each number that is tried
_SURE = 1.96  # standard errors
_WARM_SWEEPS = 4
# Of the rating block with more than 8 factors. More gain nothing: RMSE of a made-up million .7418, after ten .7427.
_MOST_SWEEPS = 14
_FEWER = 0.5  # ratings of a user or movie for each factor, below which a fit has fewer factors than were chosen
# Seconds of one core of 2026, measured: for each number that a sweep adds up, and for each of its solutions' K^3.
_SECONDS_PER_SUM, _SECONDS_PER_CUBE = 2.1e-10, 7e-10


class Number(NamedTuple):
    """The chosen number of factors, the rating block's sweeps with it, and why; no reason if the number was given."""

    factors: int
    sweeps: int
    reason: str = ""


def choose_number(
    ratings: Ratings,
    target: Tensor,
    noise_shapes: NoiseShapes,
    sweeps: int,
    config: FactorsConfig,
    seed: int,
    features: Tensor | None,
) -> Number:
    """The number of factors that is best on held-out training rows, of those that are worth trying.

    target (R,) of the ratings; sweeps: of the rating block with 8 factors; features (M, D) of the movies.
    """
    if config.factors is not None:
        return Number(config.factors, sweeps)
    size = _Size.of(ratings)
    budget = config.seconds_per_million * max(1.0, size.ratings / 1e6)
    seconds = {}
    for number in (LEAST, *MORE):
        in_all = 2 * (_sweeps_with(number, sweeps) + score_sweeps_with(number, config))  # with the refit
        seconds[number] = in_all * size.seconds(number)
    dense = [number for number in MORE if size.ratings_each >= number]
    tried = [number for number in dense if seconds[number] <= budget]
    if not dense:
        told = f"a user or item has {size.ratings_each:.1f} ratings on average"
        return Number(LEAST, sweeps, f"{told}; more factors are tried from {MORE[0]} on")
    errors = _race([LEAST, *tried], ratings, target, noise_shapes, config, seed, features) if tried else {}
    best = _best(errors)
    lines = [", ".join(f"{float(error.mean()):.4f} with {number}" for number, error in errors.items())]
    lines = (
        [f"squared error of {len(errors[LEAST]):,} held-out training rows, standardised: {lines[0]}"] if tried else []
    )
    lines.append(f"the sweeps take about {seconds[best]:.0f} s of one core, of {budget:.0f} allowed")
    if beyond := [number for number in dense if number not in tried]:
        lines.append(f"{beyond[0]} were not tried: about {seconds[beyond[0]]:.0f} s")
    return Number(best, _sweeps_with(best, sweeps), "; ".join(lines))


def factors_for(ratings: Ratings, chosen: int, config: FactorsConfig) -> int:
    """The chosen number, or fewer for a fit to a small part of the ratings, where more only cost time."""
    if config.factors is not None:
        return chosen
    each = _Size.of(ratings).ratings_each
    return max([LEAST, *(number for number in MORE if number <= chosen and each >= _FEWER * number)])


def _sweeps_with(factors: int, sweeps: int) -> int:
    """Sweeps of the rating block, of which `sweeps` were chosen with 8 factors."""
    return sweeps if factors <= LEAST else min(sweeps, _MOST_SWEEPS)


def score_sweeps_with(factors: int, config: FactorsConfig) -> int:
    """Sweeps of the score block, which with more than 8 factors starts where the rating block ended."""
    return config.score_sweeps if factors <= LEAST else min(config.score_sweeps, _WARM_SWEEPS)


class _Size(NamedTuple):
    """Numbers of ratings, and of users and movies who have some."""

    ratings: int
    entities: int

    @classmethod
    def of(cls, ratings: Ratings) -> _Size:
        rated = (torch.bincount(index).count_nonzero() for index in (ratings.user_index, ratings.movie_index))
        return cls(len(ratings), int(sum(int(one) for one in rated)))

    @property
    def ratings_each(self) -> float:
        """Ratings of a user or a movie, on average."""
        return self.ratings / max(1, self.entities)

    def seconds(self, factors: int) -> float:
        """About how long one core takes for a sweep with so many factors."""
        size = factors + 1
        sums = size * (size + 1) // 2 + 2 * (size + 1)
        return 2 * self.ratings * sums * _SECONDS_PER_SUM + self.entities * size**3 * _SECONDS_PER_CUBE


def _race(
    numbers: Sequence[int],
    ratings: Ratings,
    target: Tensor,
    noise_shapes: NoiseShapes,
    config: FactorsConfig,
    seed: int,
    features: Tensor | None,
) -> dict[int, Tensor]:
    """The squared errors (B,) of held-out rows by number of factors, up to the first that is not better."""
    generator = torch.Generator().manual_seed(seed)
    held = (torch.rand(len(ratings), generator=generator, device="cpu") < _HELD_OUT).to(target.device)
    known = int(ratings.user_index.max()) + 1, int(ratings.movie_index.max()) + 1
    known = known if features is None else (known[0], len(features))
    kept, watched = ratings.take(~held), ratings.take(held)
    data = cut_ratings(kept.user_index, kept.movie_index, target[~held], *known)
    errors: dict[int, Tensor] = {}
    with tqdm(
        total=len(numbers) * _SWEEPS,
        desc="factors",
        unit=" sweeps",
        dynamic_ncols=True,
        disable=distributed.quiet(),
    ) as progress:
        for number in numbers:
            state = start_state(data.sweeps, noise_shapes, number, config, seed, features)
            for _ in range(_SWEEPS):
                predicted = sweep_and_predict(state, data, config, watched)
                progress.update()
            errors[number] = (predicted - target[held]).square()
            if _best(errors) != number:
                break
    return errors


def _best(errors: dict[int, Tensor]) -> int:
    """The last number of factors that is better than the one before it by more than chance."""
    best = LEAST
    for number in list(errors)[1:]:
        gain = errors[best] - errors[number]
        error = float(gain.std()) / len(gain) ** 0.5
        if not distributed.agree_on(float(float(gain.mean()) > _SURE * error)):
            break
        best = number
    return best
