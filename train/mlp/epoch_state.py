"""The state of a training between two epochs, as tensors by name: parameters, optimiser, random generators."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def pack(
    network: nn.Module, optimizer: torch.optim.Optimizer, generator: torch.Generator, best: dict[str, Tensor]
) -> dict[str, Tensor]:
    """Collects the state. best: the parameters of the best epoch so far; empty if none is kept."""
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"best.{name}": value for name, value in best.items()}
    for number, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{name}": value for name, value in state.items()}
    tensors["generator"], tensors["chance"] = generator.get_state(), torch.get_rng_state()
    if torch.cuda.is_available():  # on a GPU, dropout draws from its own generator
        tensors["chance_of_gpu"] = torch.cuda.get_rng_state()
    return tensors


def unpack(
    tensors: dict[str, Tensor], network: nn.Module, optimizer: torch.optim.Optimizer, generator: torch.Generator
) -> dict[str, Tensor]:
    """Restores network, optimiser and random generators from the result of `pack`; returns `best`."""
    network.load_state_dict(_under("network.", tensors))
    whole = optimizer.state_dict()
    whole["state"] = {}
    for name, value in _under("optimizer.", tensors).items():
        number, _, key = name.partition(".")
        whole["state"].setdefault(int(number), {})[key] = value
    optimizer.load_state_dict(whole)
    generator.set_state(tensors["generator"])
    torch.set_rng_state(tensors["chance"])
    if "chance_of_gpu" in tensors:
        torch.cuda.set_rng_state(tensors["chance_of_gpu"])
    return _under("best.", tensors)


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
