"""The schedule of the ordinal network's training, for however few ratings there are."""

from typing import Any

import pytest
import torch

from train.factors.config import FactorsConfig
from train.factors.ordinal_fit import _optimizer


@pytest.mark.parametrize("steps", range(1, 12))
def test_every_number_of_steps_has_a_schedule(steps: int) -> None:
    head: Any = torch.nn.Linear(1, 1)
    optimizer, schedule = _optimizer(head, FactorsConfig(epochs=1), steps)
    for _ in range(steps):
        optimizer.step()
        schedule.step()
    assert 0 < schedule.get_last_lr()[0] <= FactorsConfig().learning_rate
