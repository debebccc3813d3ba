"""The rating scale: what a network's unit score in 0..1 means on the data's own scale."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch

Numbers = TypeVar("Numbers", float, np.ndarray, torch.Tensor)


@dataclass(frozen=True)
class RatingScale:
    """A closed range of ratings, `minimum` to `maximum`, both in rating units.

    Raises:
        ValueError: a bound is not finite, or the range is empty.
    """

    minimum: float
    maximum: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.minimum) and math.isfinite(self.maximum)):
            raise ValueError(f"rating scale: bounds must be finite, got {self.minimum}..{self.maximum}")
        if self.minimum >= self.maximum:
            raise ValueError(f"rating scale: got {self.minimum}..{self.maximum}, the minimum must be smaller")

    @property
    def span(self) -> float:
        """The width of the scale, in rating units."""
        return self.maximum - self.minimum

    def to_unit(self, rating: Numbers) -> Numbers:
        """Ratings as unit scores: `minimum` becomes 0, `maximum` becomes 1."""
        return (rating - self.minimum) / self.span

    def to_rating(self, unit: Numbers) -> Numbers:
        """Unit scores as ratings: 0 becomes `minimum`, 1 becomes `maximum`."""
        return self.minimum + unit * self.span
