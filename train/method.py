"""What every architecture has: it chooses on an inner split, then fits with the choice."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np

from model.network import RatingNetwork
from model.scale import RatingScale
from train.config import TrainConfig
from train.dataset.tensors import Ratings, TrainingSet
from train.fit_log import FitLog
from train.resume import Stages


@dataclass(frozen=True)
class Choice:
    """What an inner split of the training rows chose, as metrics.json tells it, and the errors that it saw.

    reasons: why, in one line by setting, where there is more to tell than the setting.
    """

    settings: dict[str, Any]
    log: FitLog
    reasons: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fitted:
    """A fitted network, the errors on the way, and how many times the fit went through the ratings."""

    network: RatingNetwork
    log: FitLog
    passes: int


class Choose(Protocol):
    """Chooses on an inner split of the training rows; keeps what it finishes in the stages, for `--resume`."""

    def __call__(self, data: TrainingSet, scale: RatingScale, config: TrainConfig, stages: Stages) -> Choice:
        """The choice."""


class Fit(Protocol):
    """Fits with what was chosen; `label` names the fit in the progress bar and in the stages."""

    def __call__(
        self, data: TrainingSet, scale: RatingScale, config: TrainConfig, choice: Choice, label: str, stages: Stages
    ) -> Fitted:
        """The fitted network."""


class LevelPredictions(NamedTuple):
    """The values of L rating levels in rating units (L,), their edges, and the levels' probabilities by row (N, L)."""

    value: np.ndarray
    edges: np.ndarray
    probability: np.ndarray


_NONE = np.zeros(0, dtype=np.float32)
NO_LEVELS = LevelPredictions(_NONE, _NONE, np.zeros((0, 0), dtype=np.float16))


class PredictLevels(Protocol):
    """Level probabilities of rows of ratings by a network of this architecture."""

    def __call__(self, network: RatingNetwork, ratings: Ratings, scale: RatingScale) -> LevelPredictions:
        """The predictions."""


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """All that differs between architectures. A field that an entry leaves out fails at import."""

    options: type
    """The dataclass of its options: `TrainConfig` has a field of this type, under the architecture's name."""
    choose: Choose
    fit: Fit
    network: type[RatingNetwork]
    summary: str
    """The network in one line, for the model card."""
    uses_features: bool
    """Whether the catalogue's features go into the training."""
    predict_levels: PredictLevels | None
    """How probable it holds each rating level, for the report's calibration; None where it cannot tell."""
