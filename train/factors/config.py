"""Options of architecture `factors`. Every field is an option of `python -m train`; its docstring is its help."""

from __future__ import annotations

from dataclasses import dataclass

from train.option_rules import check_options, check_value


@dataclass(frozen=True)
class FactorsConfig:
    """Options of architecture `factors`: two variational factor blocks and an ordinal network.

    Raises:
        ValueError: a value is outside what its line allows.
    """

    factors: int = 8
    """Factors of each block, besides the bias; at least 1."""
    noise_candidates: tuple[tuple[float, float], ...] = ((16.0, 1e6), (1e6, 10.0))
    """Candidates for the rating block's noise: Gamma shapes by user and by movie, above 0; a large one: equal noise."""
    probe_sweeps: int = 8
    """Sweeps of every candidate on the inner split; at least 1."""
    max_sweeps: int = 24
    """Most sweeps of the best candidate; at least probe_sweeps."""
    inner_size: float = 0.15
    """Share of the training rows that the choice is made on; 0 < inner_size < 1."""
    inner_rows: int = 200_000
    """About how many ratings the choice looks at, by whole users; at least 1."""
    score_sweeps: int = 20
    """Sweeps of the score block; at least 1."""
    score_noise: tuple[float, float] = (16.0, 1e6)
    """The score block's noise, as in noise_candidates."""
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
    rating_weight: float = 0.5
    """Share of the rating block in the served score; the ordinal network has the rest; 0 to 1."""

    def __post_init__(self) -> None:
        counts = ("factors", "probe_sweeps", "inner_rows", "score_sweeps", "hidden_dim", "epochs", "batch_size")
        check_options(self, "factors", "at least 1", *counts, "network_rows")
        positive = ("init_scale", "prior_rows", "prior_variance", "link_ridge", "learning_rate")
        check_options(self, "factors", "above 0", *positive)
        check_options(self, "factors", "between 0 and 1", "inner_size")
        check_options(self, "factors", "0 up to, not including, 1", "dropout")
        check_options(self, "factors", "at least 0", "weight_decay")
        enough = self.max_sweeps >= self.probe_sweeps
        check_value("factors.max_sweeps", self.max_sweeps, enough, f"at least probe-sweeps, {self.probe_sweeps}")
        check_value("factors.max_levels", self.max_levels, self.max_levels >= 2, "at least 2")
        check_value("factors.rating_weight", self.rating_weight, 0 <= self.rating_weight <= 1, "0 to 1")
        some = bool(self.noise_candidates) and min(map(min, self.noise_candidates)) > 0
        check_value("factors.noise_candidates", self.noise_candidates, some, "at least one pair of shapes above 0")
        check_value("factors.score_noise", self.score_noise, min(self.score_noise) > 0, "two shapes above 0")
