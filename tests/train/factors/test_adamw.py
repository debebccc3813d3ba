"""The optimiser takes the steps of PyTorch's, for however few ratings there are, and does not import its compiler."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import nn

from train.factors.adamw import OneCycleAdamW, one_cycle

STEPS = """
import sys
import torch
from train.factors.adamw import OneCycleAdamW

network = torch.nn.Linear(2, 1)
optimizer = OneCycleAdamW(network.parameters(), 0.1, 0.1, 3)
network(torch.ones(1, 2)).sum().backward()
optimizer.step()
assert "torch._dynamo" not in sys.modules
"""


@pytest.mark.parametrize("total", [1, 2, 4, 6, 7, 60])
def test_steps_equal_those_of_pytorch(total: int) -> None:
    ours, theirs = _network(), _network()
    optimizer = OneCycleAdamW(ours.parameters(), 0.05, 0.3, total)
    expected = torch.optim.AdamW(theirs.parameters(), 0.05, betas=(0.9, 0.98), weight_decay=0.3, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        expected, 0.05, total_steps=total, pct_start=0.2, final_div_factor=100.0
    )
    for step in range(total):
        _loss(ours, step).backward()
        _loss(theirs, step).backward()
        optimizer.step()
        expected.step()
        expected.zero_grad()
        if step + 1 < total:
            schedule.step()
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("total", range(1, 12))
def test_every_number_of_steps_has_a_cycle(total: int) -> None:
    rates, momenta = zip(*(one_cycle(step, total) for step in range(total)), strict=True)
    assert all(0 < rate <= 1 for rate in rates)
    assert all(0.85 <= momentum <= 0.95 for momentum in momenta)


def test_no_step_imports_the_compiler() -> None:
    subprocess.run([sys.executable, "-c", STEPS], check=True)


def test_step_without_gradients_is_refused() -> None:
    optimizer = OneCycleAdamW(_network().parameters(), 0.1, 0.1, 3)
    with pytest.raises(RuntimeError, match="call backward"):
        optimizer.step()


def _network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))


def _loss(network: nn.Module, step: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(step)
    loss: torch.Tensor = network(torch.randn(8, 3, generator=generator)).square().mean()
    return loss
