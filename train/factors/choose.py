"""Chooses what differs between data sets: the noise shapes of the rating block, and its number of sweeps.

Users with many ratings differ in their noise. Users with few cannot show theirs: one who always gave ten would count as
exact. The noise is not quite Gaussian either, so early sweeps can be the best. Both show on an inner split of the
training rows. All candidates run a few sweeps; the best one continues.
"""

from __future__ import annotations

import torch
from torch import Tensor
from tqdm import tqdm

from train import distributed
from train.dataset.tensors import Ratings
from train.factors.choose_number import LEAST
from train.factors.config import FactorsConfig
from train.factors.in_memory import RatingsInParts, cut_ratings, sweep_and_predict
from train.factors.sweep import NoiseShapes, start_state
from train.fit_log import FitLog


def choose_noise(
    ratings: Ratings, target: Tensor, config: FactorsConfig, seed: int, features: Tensor | None
) -> tuple[NoiseShapes, int, FitLog]:
    """Noise shapes and number of sweeps with the smallest squared error on inner rows, and the error by sweep.

    target (R,) of the ratings; features (M, D) of the movies. The log is in units of the target squared.
    """
    generator = torch.Generator().manual_seed(seed)
    device = target.device
    kept = _whole_users(ratings, config.inner_rows, generator)
    ratings, target = ratings.take(kept), target[kept]
    held = (torch.rand(len(ratings), generator=generator, device="cpu") < config.inner_size).to(device)
    if not bool(held.any()) or bool(held.all()):  # too few rows to choose by
        return config.noise_candidates[0], config.probe_sweeps, FitLog()
    users, user = torch.unique(ratings.user_index, return_inverse=True)
    movies, movie = torch.unique(ratings.movie_index, return_inverse=True)
    data = cut_ratings(user[~held], movie[~held], target[~held], len(users), len(movies))
    watched = Ratings(user[held], movie[held], target[held])
    return _race(data, watched, config, seed, None if features is None else features[movies])


def _race(
    data: RatingsInParts, watched: Ratings, config: FactorsConfig, seed: int, features: Tensor | None
) -> tuple[NoiseShapes, int, FitLog]:
    """Runs all candidates for `probe_sweeps`, and the best one up to `max_sweeps`. `watched.rating` holds targets."""
    candidates = config.noise_candidates
    probe_sweeps = config.probe_sweeps
    later_sweeps = config.max_sweeps - probe_sweeps
    factors = LEAST if config.factors is None else config.factors
    states = [start_state(data.sweeps, shapes, factors, config, seed, features) for shapes in candidates]
    errors: list[list[float]] = [[] for _ in candidates]
    total = len(candidates) * probe_sweeps + later_sweeps
    with tqdm(total=total, desc="choose", unit=" sweeps", dynamic_ncols=True, disable=distributed.quiet()) as progress:

        def run(candidate: int, sweeps: int) -> None:
            for _ in range(sweeps):
                predicted = sweep_and_predict(states[candidate], data, config, watched)
                errors[candidate].append(float((predicted - watched.rating).square().mean()))
                progress.update()

        for candidate in range(len(candidates)):
            run(candidate, probe_sweeps)
        best = int(distributed.agree_on(min(range(len(candidates)), key=lambda number: errors[number][-1])))
        run(best, later_sweeps)
    tail = errors[best][probe_sweeps - 1 :]
    sweeps = int(distributed.agree_on(probe_sweeps + tail.index(min(tail))))
    return candidates[best], sweeps, FitLog([], errors[best], sweeps)


def _whole_users(ratings: Ratings, rows: int, generator: torch.Generator) -> Tensor:
    """Mask (R,) of about `rows` ratings, by whole users drawn at random, so the ratings per user stay the same."""
    if len(ratings) <= rows:
        return torch.ones_like(ratings.user_index, dtype=torch.bool)
    drawn = torch.rand(int(ratings.user_index.max()) + 1, generator=generator, device="cpu") < rows / len(ratings)
    return drawn.to(ratings.user_index.device)[ratings.user_index]
