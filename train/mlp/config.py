"""Options of architecture `mlp`. Every field is an option of `python -m train`; its docstring is its help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from train.gradient_options import GradientOptions
from train.option_rules import check_options, check_value


@dataclass(frozen=True)
class MLPConfig(GradientOptions):
    """Options of architecture `mlp`: the reference's network over two embeddings.

    Raises:
        ValueError: a value is not in the range that its docstring gives.
    """

    architecture: ClassVar[str] = "mlp"

    inner_size: float = 0.1
    dropout: float = 0.1
    epochs: int = 20
    batch_size: int = 1024
    learning_rate: float = 1.5e-3
    weight_decay: float = 0.0
    embedding_dim: int = 16
    """Width of each embedding; at least 1."""
    hidden_dims: tuple[int, ...] = (64, 32, 16)
    """Widths of the hidden layers; at least one, each at least 1."""
    embedding_dropout: float = 0.5
    """Share of embedding entries dropped in training; 0 <= embedding_dropout < 1."""
    patience: int = 2
    """Epochs without a better error on the inner rows before training stops; 0 runs all epochs and holds none out."""
    loss_reduction: Literal["sum", "mean"] = "mean"
    """How a batch's squared errors, in rating units, become one loss."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_options(self, "mlp", "at least 1", "embedding_dim")
        check_options(self, "mlp", "0 up to, not including, 1", "embedding_dropout")
        check_options(self, "mlp", "at least 0", "patience")
        widths = bool(self.hidden_dims) and min(self.hidden_dims) >= 1
        check_value("mlp.hidden_dims", self.hidden_dims, widths, "at least one width, each at least 1")
