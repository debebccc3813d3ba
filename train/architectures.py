"""The registry of architectures: one entry says all that differs between them.

To add one: a room with an `Architecture`, a line here, and a field and a name in `TrainConfig`. What does not fit
together fails when this module is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import get_args, get_type_hints

from model.network import RatingNetwork
from train.config import TrainConfig
from train.factors.method import FACTORS
from train.method import Architecture
from train.mlp.method import MLP

ARCHITECTURES: Mapping[str, Architecture] = {"factors": FACTORS, "mlp": MLP}


def architecture_of(network: RatingNetwork) -> Architecture:
    """The entry that a network is of."""
    return next(one for one in ARCHITECTURES.values() if type(network) is one.network)


def architecture_named(name: str) -> Architecture:
    """The entry of this name.

    Raises:
        ValueError: there is none.
    """
    if name not in ARCHITECTURES:
        raise ValueError(f"architecture: got {name}, allowed: {', '.join(ARCHITECTURES)}")
    return ARCHITECTURES[name]


def check_registry(architectures: Mapping[str, Architecture], config: type[TrainConfig]) -> None:
    """Compares the registry with the options of a training.

    Raises:
        TypeError: an architecture has no field of its options, `--architecture` does not know it, or two have the same
            network.
    """
    hints = get_type_hints(config)
    names = set(get_args(hints["architecture"]))
    if names != architectures.keys():
        raise TypeError(f"TrainConfig.architecture: got {sorted(names)}, expected {sorted(architectures)}")
    networks = [one.network for one in architectures.values()]
    if len(set(networks)) < len(networks):
        raise TypeError("two architectures have the same network class; give each its own")
    missing = [name for name, one in architectures.items() if hints.get(name) is not one.options]
    if missing or not architectures.keys() <= {field.name for field in fields(config)}:
        raise TypeError(f"TrainConfig: no field of the options of architecture {', '.join(missing)}")


check_registry(ARCHITECTURES, TrainConfig)
