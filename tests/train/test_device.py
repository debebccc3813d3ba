"""Every tensor of a fit is made where the ratings are, or on the processor on purpose.

No GPU is needed to see it: with `meta` as the default device, a tensor that was made without saying where would be
there, and could not be combined with the ratings.
"""

import math

import torch

from model.ordinal import OrdinalHead
from train.dataset.tensors import TrainingSet
from train.factors.choose import choose_noise
from train.factors.config import FactorsConfig
from train.factors.in_memory import cut_ratings, with_users
from train.factors.levels import levels_of_counts
from train.factors.ordinal_fit import fit_ordinal
from train.factors.sweep import start_state, sweep

CONFIG = FactorsConfig(factors=2, probe_sweeps=1, max_sweeps=2, epochs=1, batch_size=1024, inner_rows=2_000)


def test_a_fit_stays_on_its_device(taste_set: TrainingSet) -> None:
    ratings, features = taste_set.ratings, taste_set.features
    distinct, number = torch.unique(ratings.rating, return_counts=True)
    levels = levels_of_counts(distinct, number, 16)
    target = levels.score[levels.of(ratings.rating)]
    head = OrdinalHead(levels.edges, levels.value / 10, levels.share, levels.score, 2, 4, 0.1)
    numbers = len(taste_set.user_ids), len(taste_set.movie_ids)
    rows = torch.arange(len(ratings))
    with torch.device("meta"):
        noise, sweeps, _ = choose_noise(ratings, target, CONFIG, 0, features)
        data = cut_ratings(ratings.user_index, ratings.movie_index, target, *numbers)
        state = start_state(data.sweeps, noise, 2, CONFIG, 0, features)
        for _ in range(sweeps):
            sweep(state, data.sweeps, CONFIG)
        block = with_users(state, data)
        moved = block.to(torch.device("cpu"))
        fit_ordinal(head, moved, ratings, 0.3, CONFIG, "test", rows)
    assert math.isfinite(block.alpha)
    assert all(bool(torch.isfinite(value).all()) for value in head.state_dict().values())
