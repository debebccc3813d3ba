"""What a training run can be told. Every field is an option of `python -m train`; its docstring is its help."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class TrainConfig:
    """Options of one training run.

    Raises:
        ValueError: a value is outside what its line allows.
    """

    data: Path = Path("build/demo")
    """A folder or file of ratings."""
    format: Literal["auto", "kmrd", "movielens", "csv", "parquet"] = "auto"
    """How to read it; `auto` looks at what lies there."""
    user_column: str = "user_id"
    """Column of user ids (csv and parquet)."""
    movie_column: str = "movie_id"
    """Column of movie ids (csv and parquet)."""
    rating_column: str = "rating"
    """Column of ratings (csv and parquet)."""
    delimiter: str | None = None
    """Field delimiter (csv); by default a comma, or a tab in a .tsv."""
    movies: Path | None = None
    """A file of movies (csv and parquet): the movie column, and any of title, genres (with | between), year."""
    rating_scale: tuple[float, float] | None = None
    """Lowest and highest rating allowed; by default what the training rows hold."""
    out: Path = Path("build/1.0")
    """Folder for the artifact, the checkpoint, metrics.json and the plots."""
    version: str = "1.0"
    """Version of the model, told in its metadata."""

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
    batch_size: int = 1024
    """Ratings per step; at least 1."""
    learning_rate: float = 1.5e-3
    """Adam's step size; above 0."""
    weight_decay: float = 0.0
    """Adam's L2 on every parameter; at least 0."""
    loss_reduction: Literal["sum", "mean"] = "mean"
    """How a batch's squared errors, in rating units, become one loss."""
    test_size: float = 0.2
    """Share of the ratings held out to report errors on; 0 <= test_size < 1, and 0 reports none."""
    inner_size: float = 0.1
    """Share of the training rows that decides when to stop, where patience is above 0; 0 < inner_size < 1."""
    refit: bool = True
    """Serve a network trained once more, on all ratings, the held-out ones included."""
    split_seed: int = 1234
    """Seed of the split."""
    seed: int = 0
    """Seed of everything else: same seed, same machine, same artifact."""
    threads: int = 1
    """CPU threads; 0 takes what PyTorch would. Small steps gain nothing from more, and lose much on a busy machine."""

    def __post_init__(self) -> None:
        for name in ("embedding_dim", "epochs", "batch_size"):
            _check(name, getattr(self, name), getattr(self, name) >= 1, "at least 1")
        for name in ("patience", "weight_decay", "threads"):
            _check(name, getattr(self, name), getattr(self, name) >= 0, "at least 0")
        for name in ("dropout", "embedding_dropout", "test_size"):
            _check(name, getattr(self, name), 0 <= getattr(self, name) < 1, "0 up to, not including, 1")
        _check("inner_size", self.inner_size, 0 < self.inner_size < 1, "between 0 and 1")
        _check("learning_rate", self.learning_rate, self.learning_rate > 0, "above 0")
        widths = bool(self.hidden_dims) and min(self.hidden_dims) >= 1
        _check("hidden_dims", self.hidden_dims, widths, "at least one width, each at least 1")
        if self.rating_scale is not None:
            _check("rating_scale", self.rating_scale, self.rating_scale[0] < self.rating_scale[1], "lowest, highest")


def _check(name: str, value: object, allowed: bool, rule: str) -> None:
    if not allowed:
        raise ValueError(f"{name.replace('_', '-')}: got {value}, allowed: {rule}")


PRESETS = {
    "default": TrainConfig(),
    # As the reference notebook does it: small steps, three epochs, whatever the validation error says.
    "reference": TrainConfig(
        dropout=0.3,
        embedding_dropout=0.05,
        epochs=3,
        patience=0,
        batch_size=8,
        learning_rate=1e-3,
        weight_decay=1e-5,
        loss_reduction="sum",
        refit=False,
    ),
}
