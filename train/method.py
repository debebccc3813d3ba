"""What a way of training has in common with the others: it chooses on an inner split, then fits with the choice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from model.factor_network import FactorNetwork
from model.network import EmbeddingMLP
from model.scale import RatingScale
from train.config import TrainConfig
from train.fit import FitLog
from train.resume import Stages
from train.tensors import TrainingSet

Network = EmbeddingMLP | FactorNetwork


@dataclass(frozen=True)
class Choice:
    """What an inner split of the training rows chose, as metrics.json tells it, and the errors that it saw."""

    settings: dict[str, Any]
    log: FitLog


@dataclass(frozen=True)
class Fitted:
    """A fitted network, the errors on the way, and how many times the fit went through the ratings."""

    network: Network
    log: FitLog
    passes: int


class Method(NamedTuple):
    """An architecture's two steps; both keep what they finish in the stages, for `--resume`."""

    choose: Callable[[TrainingSet, RatingScale, TrainConfig, Stages], Choice]
    fit: Callable[[TrainingSet, RatingScale, TrainConfig, Choice, str, Stages], Fitted]
