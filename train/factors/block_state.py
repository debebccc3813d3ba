"""A fitted block as tensors by name and plain values, for `--resume`."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from train.factors.variational import Block

_FIELDS = ("mean", "covariance", "precision", "link", "noise_precision")


def pack(block: Block) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Everything that a fit changes. The features come from the data."""
    tensors: dict[str, Tensor] = {}
    for name, side in (("user", block.user), ("movie", block.movie)):
        tensors |= {f"{name}.{field}": getattr(side, field) for field in _FIELDS}
    return tensors, {"alpha": block.alpha, "sweeps": block.sweeps}


def unpack(block: Block, tensors: dict[str, Tensor], values: dict[str, Any]) -> None:
    """Restores the state that `pack` saved into a started block of the same data and options."""
    block.alpha, block.sweeps = values["alpha"], values["sweeps"]
    for name, side in (("user", block.user), ("movie", block.movie)):
        device = side.mean.device
        for field in _FIELDS:
            setattr(side, field, tensors[f"{name}.{field}"].to(device))
