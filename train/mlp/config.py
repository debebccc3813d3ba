"""Options of architecture `mlp`. Every field is an option of `python -m train`; its docstring is its help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from train.option_rules import check_options, check_value


@dataclass(frozen=True)
class MLPConfig:
    """Options of architecture `mlp`: the reference's network over two embeddings.

    Raises:
        ValueError: a value is outside what its line allows.
    """

    embedding_dim: int = 16
    """Width of each embedding; at least 1."""
    hidden_dims: tuple[int, ...] = (64, 32, 16)
    """Widths of the hidden layers; at least one, each at least 1."""
    dropout: float = 0.1
    """Share of hidden units dropped in training; 0 <= dropout < 1."""
    embedding_dropout: float = 0.5
    """Share of embedding entries dropped in training; 0 <= embedding_dropout < 1."""
    epochs: int = 20
    """Most passes over the training rows; at least 1."""
    patience: int = 2
    """Epochs without a better inner validation error before training stops; 0 runs all epochs as they are."""
    inner_size: float = 0.1
    """Share of the training rows that decides when to stop, where patience is above 0; 0 < inner_size < 1."""
    batch_size: int = 1024
    """Ratings per step; at least 1."""
    learning_rate: float = 1.5e-3
    """Adam's step size; above 0."""
    weight_decay: float = 0.0
    """Adam's L2 on every parameter; at least 0."""
    loss_reduction: Literal["sum", "mean"] = "mean"
    """How a batch's squared errors, in rating units, become one loss."""

    def __post_init__(self) -> None:
        check_options(self, "mlp", "at least 1", "embedding_dim", "epochs", "batch_size")
        check_options(self, "mlp", "above 0", "learning_rate")
        check_options(self, "mlp", "between 0 and 1", "inner_size")
        check_options(self, "mlp", "0 up to, not including, 1", "dropout", "embedding_dropout")
        check_options(self, "mlp", "at least 0", "patience", "weight_decay")
        widths = bool(self.hidden_dims) and min(self.hidden_dims) >= 1
        check_value("mlp.hidden_dims", self.hidden_dims, widths, "at least one width, each at least 1")
