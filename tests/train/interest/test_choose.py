"""The blend: chosen on inner rows, kept for `--resume`."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from model.network import RatingNetwork
from model.scale import RatingScale
from train.config import TrainConfig
from train.dataset.tensors import TrainingSet
from train.interest.choose import choose_blend
from train.interest.config import InterestConfig
from train.interest.fit import Blend, fit_interest
from train.method import Fitted
from train.resume import NO_STAGES, Stages

SCALE = RatingScale(1, 10)


@pytest.fixture
def config() -> TrainConfig:
    return TrainConfig(interest=InterestConfig(rating_shares=(0.5, 2.0), min_raters=1))


def test_network_that_chooses_sees_no_watched_rating(
    taste_set: TrainingSet, taste_fit: Fitted, config: TrainConfig
) -> None:
    seen: list[TrainingSet] = []

    def fit(rows: TrainingSet) -> RatingNetwork:
        seen.append(rows)
        return taste_fit.network

    assert choose_blend(taste_set, SCALE, config, fit, NO_STAGES).rating_share in (0.5, 2.0)
    [rest] = seen
    assert 0.7 < len(rest.ratings) / len(taste_set.ratings) < 0.9
    assert (len(rest.user_ids), len(rest.movie_ids)) == (len(taste_set.user_ids), len(taste_set.movie_ids))


def test_one_candidate_needs_no_choice(taste_set: TrainingSet, config: TrainConfig) -> None:
    def fit(_: TrainingSet) -> RatingNetwork:
        raise AssertionError

    one = replace(config, interest=InterestConfig(rating_shares=(0.7,), restraints=(0.2,)))
    assert choose_blend(taste_set, SCALE, one, fit, NO_STAGES) == Blend(0.7, 0.2)


def test_finished_choice_is_not_made_again(
    taste_set: TrainingSet, taste_fit: Fitted, config: TrainConfig, tmp_path: Path
) -> None:
    fits = 0

    def fit(_: TrainingSet) -> RatingNetwork:
        nonlocal fits
        fits += 1
        return taste_fit.network

    first = choose_blend(taste_set, SCALE, config, fit, Stages(tmp_path, "run"))
    assert choose_blend(taste_set, SCALE, config, fit, Stages(tmp_path, "run", resume=True)) == first
    assert fits == 1


def test_share_is_in_standard_deviations(taste_set: TrainingSet, taste_fit: Fitted, config: TrainConfig) -> None:
    weights = [
        float(fit_interest(taste_set, taste_fit.network, SCALE, config.interest, Blend(share, 0.0)).rating_weight)
        for share in (1.0, 3.0)
    ]
    assert weights[0] > 0
    assert weights[1] == pytest.approx(3 * weights[0])


def test_network_that_rates_all_alike_adds_nothing(taste_set: TrainingSet, config: TrainConfig) -> None:
    class Flat(torch.nn.Module):
        def forward(self, user_index: torch.Tensor, movie_index: torch.Tensor) -> torch.Tensor:
            return torch.full_like(user_index + movie_index, 0, dtype=torch.float32)

    assert fit_interest(taste_set, Flat(), SCALE, config.interest, Blend(1.0, 0.0)).rating_weight == 0
