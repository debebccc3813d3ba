"""Options of architecture `factors`. Every field is an option of `python -m train`; its docstring is its help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from train.gradient_options import GradientOptions
from train.option_rules import check_options, check_value


@dataclass(frozen=True)
class FactorsConfig(GradientOptions):
    """Options of architecture `factors`: two variational factor blocks and an ordinal network.

    Raises:
        ValueError: a value is not in the range that its docstring gives.
    """

    architecture: ClassVar[str] = "factors"

    inner_size: float = 0.15
    dropout: float = 0.1
    epochs: int = 6
    batch_size: int = 2048
    learning_rate: float = 6e-3
    weight_decay: float = 1e-3
    factors: int | None = None
    """Factors of each block, besides the bias; at least 1. By default 8, or 16 or 32 if they predict training rows
    better."""
    seconds_per_million: float = 60.0
    """Most seconds of one core for the sweeps with more than 8 factors, for each million ratings; at least 0."""
    noise_candidates: tuple[tuple[float, float], ...] = ((16.0, 1e6), (1e6, 10.0))
    """Candidates for the rating block's noise: Gamma shapes by user and by movie, above 0. Large: equal noise."""
    probe_sweeps: int = 8
    """Sweeps for each candidate on the inner split; at least 1."""
    max_sweeps: int = 24
    """Maximum number of sweeps for the best candidate; at least probe_sweeps."""
    inner_rows: int = 200_000
    """About how many ratings to choose the noise and sweeps on, always all ratings of a user; at least 1."""
    score_sweeps: int = 20
    """Sweeps of the score block; at least 1."""
    score_noise: tuple[float, float] = (16.0, 1e6)
    """The score block's noise, as in noise_candidates."""
    init_scale: float = 0.2
    """Standard deviation of the initial factors; above 0."""
    prior_rows: float = 1.0
    """Weight of the hyperprior on the precision of the factors, in rows per dimension; above 0."""
    prior_variance: float = 0.1
    """Variance of the factors that the hyperprior expects; above 0."""
    link_ridge: float = 20.0
    """Shrinkage of the catalogue's effect on a movie's prior; above 0."""
    max_levels: int = 16
    """Maximum number of rating levels; at least 2. Ratings with more distinct values are binned."""
    hidden_dim: int = 16
    """Width of the ordinal network; at least 1."""
    network_rows: int = 250_000
    """About how many ratings the ordinal network learns from, or all if there are fewer; at least 1."""
    rating_weight: float = 0.5
    """Share of the rating block in the served score, 0 to 1. The ordinal network has the rest."""

    def __post_init__(self) -> None:
        super().__post_init__()
        counts = ("probe_sweeps", "inner_rows", "score_sweeps", "hidden_dim", "network_rows")
        check_options(self, "factors", "at least 1", *counts)
        check_value("factors.factors", self.factors, self.factors is None or self.factors >= 1, "at least 1")
        check_options(self, "factors", "at least 0", "seconds_per_million")
        check_options(self, "factors", "above 0", "init_scale", "prior_rows", "prior_variance", "link_ridge")
        enough = self.max_sweeps >= self.probe_sweeps
        check_value("factors.max_sweeps", self.max_sweeps, enough, f"at least probe-sweeps, {self.probe_sweeps}")
        check_value("factors.max_levels", self.max_levels, self.max_levels >= 2, "at least 2")
        check_value("factors.rating_weight", self.rating_weight, 0 <= self.rating_weight <= 1, "0 to 1")
        some = bool(self.noise_candidates) and min(map(min, self.noise_candidates)) > 0
        check_value("factors.noise_candidates", self.noise_candidates, some, "at least one pair of shapes above 0")
        check_value("factors.score_noise", self.score_noise, min(self.score_noise) > 0, "two shapes above 0")
