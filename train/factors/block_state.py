"""A block between two sweeps as tensors by name and plain values, for `--resume`: all but the users' noise."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from torch import Tensor

from train.factors.posterior import Side
from train.factors.sweep import BlockState

_FIELDS = tuple(one.name for one in fields(Side) if one.name != "features")  # which come from the data


def pack(state: BlockState) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Everything that a sweep changes."""
    tensors = {f"movie.{field}": getattr(state.movie, field) for field in _FIELDS}
    return tensors | {"link": state.link, "precision": state.precision}, {"alpha": state.alpha, "sweeps": state.sweeps}


def unpack(state: BlockState, tensors: dict[str, Tensor], values: dict[str, Any]) -> None:
    """Restores what `pack` saved into a started block of the same data and options."""
    device = state.link.device
    for field in _FIELDS:
        value = tensors[f"movie.{field}"].to(device)
        setattr(state.movie, field, value.T.contiguous().T if field == "covariance" else value.clone())
    state.link, state.precision = tensors["link"].to(device), tensors["precision"].to(device)
    state.alpha, state.sweeps = values["alpha"], values["sweeps"]
