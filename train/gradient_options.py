"""The options of training by gradient steps, which architectures share; each sets the defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from train.option_rules import check_options


@dataclass(frozen=True)
class GradientOptions:
    """Options of an architecture that is trained by gradient steps on batches of ratings.

    Raises:
        ValueError: a value is not in the range that its docstring gives.
    """

    architecture: ClassVar[str]

    inner_size: float
    """Share of the training rows held out to choose by; 0 < inner_size < 1."""
    dropout: float
    """Share of hidden units dropped in training; 0 <= dropout < 1."""
    epochs: int
    """Most passes of the network over the training rows; at least 1."""
    batch_size: int
    """Ratings per step; at least 1."""
    learning_rate: float
    """The optimiser's largest step size; above 0."""
    weight_decay: float
    """The optimiser's weight decay on every parameter of the network; at least 0."""

    def __post_init__(self) -> None:
        check_options(self, self.architecture, "between 0 and 1", "inner_size")
        check_options(self, self.architecture, "0 up to, not including, 1", "dropout")
        check_options(self, self.architecture, "at least 1", "epochs", "batch_size")
        check_options(self, self.architecture, "above 0", "learning_rate")
        check_options(self, self.architecture, "at least 0", "weight_decay")
