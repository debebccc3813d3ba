"""What a fit tells of itself, whatever the architecture."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class FitLog:
    """What happened: per epoch or sweep the mean squared error of training (dropout on) and of the watched rows."""

    train_mse: list[float] = field(default_factory=list)
    watched_mse: list[float] = field(default_factory=list)
    best_epoch: int = 0
