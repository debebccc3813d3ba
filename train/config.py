"""What a training run can be told. Every field is an option of `python -m train`; its docstring is its help.

The options of one architecture carry its name, as in `--factors.factors 12` or `--mlp.embedding-dim 32`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from train.readers.options import ReaderOptions


@dataclass(frozen=True)
class FactorsConfig:
    """Options of architecture `factors`: two variational factor blocks and an ordinal network.

    Raises:
        ValueError: a value is outside what its line allows.
    """

    factors: int = 8
    """Factors of each block, besides the bias; at least 1."""
    noise_candidates: tuple[tuple[float, float], ...] = ((16.0, 1e6), (1e6, 10.0))
    """Block A's noise, to choose from: Gamma shapes by user and by movie, above 0; a large one means equal noise."""
    probe_sweeps: int = 8
    """Sweeps of every candidate on the inner split; at least 1."""
    max_sweeps: int = 24
    """Most sweeps of the best candidate; at least probe_sweeps."""
    inner_size: float = 0.15
    """Share of the training rows that the choice is made on; 0 < inner_size < 1."""
    inner_rows: int = 200_000
    """About how many ratings the choice looks at, by whole users; at least 1."""
    rank_sweeps: int = 20
    """Sweeps of block B; at least 1."""
    rank_noise: tuple[float, float] = (16.0, 1e6)
    """Block B's noise, as in noise_candidates."""
    init_scale: float = 0.2
    """Standard deviation of the first factors; above 0."""
    prior_rows: float = 1.0
    """Weight of the prior of a prior's precision, in rows per dimension; above 0."""
    prior_variance: float = 0.1
    """Variance that it expects; above 0."""
    link_ridge: float = 20.0
    """Shrinkage of what the catalogue's facts add to a movie's prior; above 0."""
    max_levels: int = 16
    """Ratings of more distinct values are binned to so many levels; at least 2."""
    hidden_dim: int = 16
    """Width of the ordinal network; at least 1."""
    dropout: float = 0.1
    """Share of its hidden units dropped in training; 0 <= dropout < 1."""
    epochs: int = 6
    """Its passes over the training rows; at least 1."""
    batch_size: int = 2048
    """Ratings per step; at least 1."""
    learning_rate: float = 6e-3
    """AdamW's largest step size; above 0."""
    weight_decay: float = 1e-3
    """AdamW's decay; at least 0."""
    network_rows: int = 250_000
    """Most ratings that the ordinal network learns from; at least 1."""
    linear_weight: float = 0.5
    """Share of block A in the served score, the ordinal network has the rest; 0 to 1."""

    def __post_init__(self) -> None:
        counts = ("factors", "probe_sweeps", "inner_rows", "rank_sweeps", "hidden_dim", "epochs", "batch_size")
        _check_all(self, "factors", "at least 1", *counts, "network_rows")
        positive = ("init_scale", "prior_rows", "prior_variance", "link_ridge", "learning_rate")
        _check_all(self, "factors", "above 0", *positive)
        _check_all(self, "factors", "between 0 and 1", "inner_size")
        _check_all(self, "factors", "0 up to, not including, 1", "dropout")
        _check_all(self, "factors", "at least 0", "weight_decay")
        enough = self.max_sweeps >= self.probe_sweeps
        _check("factors.max_sweeps", self.max_sweeps, enough, f"at least probe-sweeps, {self.probe_sweeps}")
        _check("factors.max_levels", self.max_levels, self.max_levels >= 2, "at least 2")
        _check("factors.linear_weight", self.linear_weight, 0 <= self.linear_weight <= 1, "0 to 1")
        some = bool(self.noise_candidates) and min(map(min, self.noise_candidates)) > 0
        _check("factors.noise_candidates", self.noise_candidates, some, "at least one pair of shapes above 0")
        _check("factors.rank_noise", self.rank_noise, min(self.rank_noise) > 0, "two shapes above 0")


@dataclass(frozen=True)
class MLPConfig:
    """Options of architecture `mlp`: the reference's network over two embeddings. Checked as those above are."""

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
        _check_all(self, "mlp", "at least 1", "embedding_dim", "epochs", "batch_size")
        _check_all(self, "mlp", "above 0", "learning_rate")
        _check_all(self, "mlp", "between 0 and 1", "inner_size")
        _check_all(self, "mlp", "0 up to, not including, 1", "dropout", "embedding_dropout")
        _check_all(self, "mlp", "at least 0", "patience", "weight_decay")
        widths = bool(self.hidden_dims) and min(self.hidden_dims) >= 1
        _check("mlp.hidden_dims", self.hidden_dims, widths, "at least one width, each at least 1")


@dataclass(frozen=True)
class TrainConfig(ReaderOptions):
    """Options of one training run.

    Raises:
        ValueError: a value is outside what its line allows.
    """

    data: Path = Path("build/demo")
    """A folder or file of ratings."""
    rating_scale: tuple[float, float] | None = None
    """Lowest and highest rating allowed; by default what the training rows hold."""
    out: Path = Path("build/1.0")
    """Folder for the artifact, the checkpoint, metrics.json and the plots."""
    resume: bool = False
    """Go on where an interrupted run of the same options and data stopped, to the result that it would have had."""
    version: str = "1.0"
    """Version of the model, told in its metadata."""
    architecture: Literal["factors", "mlp"] = "factors"
    """What to train: the default model, or the reference's network."""
    features: bool = True
    """Let genres, countries, year and grade of the catalogue speak for movies with few ratings or none (factors)."""
    test_size: float = 0.2
    """Share of the ratings held out to report errors on; 0 <= test_size < 1, and 0 reports none."""
    refit: bool = True
    """Serve a network trained once more, on all ratings, the held-out ones included."""
    split_seed: int = 1234
    """Seed of the split."""
    seed: int = 0
    """Seed of everything else: same seed, same machine, same artifact."""
    threads: int = 1
    """CPU threads; 0 takes what PyTorch would. Small steps gain nothing from more, and lose much on a busy machine."""
    factors: FactorsConfig = field(default_factory=FactorsConfig)
    mlp: MLPConfig = field(default_factory=MLPConfig)

    def __post_init__(self) -> None:
        _check("test_size", self.test_size, 0 <= self.test_size < 1, "0 up to, not including, 1")
        _check("threads", self.threads, self.threads >= 0, "at least 0")
        if self.rating_scale is not None:
            _check("rating_scale", self.rating_scale, self.rating_scale[0] < self.rating_scale[1], "lowest, highest")


# What options of both architectures must be, in the words of the error.
_RULES: Mapping[str, Callable[[float], bool]] = {
    "at least 1": lambda value: value >= 1,
    "at least 0": lambda value: value >= 0,
    "above 0": lambda value: value > 0,
    "between 0 and 1": lambda value: 0 < value < 1,
    "0 up to, not including, 1": lambda value: 0 <= value < 1,
}


def _check_all(options: object, architecture: str, rule: str, *names: str) -> None:
    for name in names:
        value = getattr(options, name)
        _check(f"{architecture}.{name}", value, _RULES[rule](value), rule)


def _check(name: str, value: object, allowed: bool, rule: str) -> None:
    if not allowed:
        raise ValueError(f"{name.replace('_', '-')}: got {value}, allowed: {rule}")


PRESETS = {
    "default": TrainConfig(),
    # As the reference notebook does it: small steps, three epochs, whatever the validation error says.
    "reference": TrainConfig(
        architecture="mlp",
        refit=False,
        mlp=MLPConfig(
            dropout=0.3,
            embedding_dropout=0.05,
            epochs=3,
            patience=0,
            batch_size=8,
            learning_rate=1e-3,
            weight_decay=1e-5,
            loss_reduction="sum",
        ),
    ),
    # The reference's network in large steps, stopped by an inner split.
    "mlp": TrainConfig(architecture="mlp"),
}
