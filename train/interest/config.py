"""Options of the interest part. Every field is an option of `python -m train`; its docstring is its help."""

from __future__ import annotations

from dataclasses import dataclass

from train.option_rules import check_options, check_value


@dataclass(frozen=True)
class InterestConfig:
    """Options of the interest part, which ranks recommendations beside the predicted rating.

    The defaults did best on inner splits of KMRD, ml-latest-small and MovieTweetings.

    Raises:
        ValueError: a value is outside what its line allows.
    """

    ridge: float = 200.0
    """Shrinkage of the item-to-item weights; above 0."""
    dropout: float = 0.3
    """More shrinkage for popular movies, as if this share of the history were dropped; 0 <= dropout < 1."""
    user_power: float = 0.5
    """A user of n ratings counts n^-user_power; at least 0. Few people then cannot outvote many."""
    sittings: float | None = None
    """How much more is said by movies that a user rated within a day, a week and a month of each other; at least 0. By
    default 1, and 0 with a split by time: it helps to find what was rated at the same time, not what comes next."""
    level: float = 0.4
    """What a rating one standard deviation above the user's mean adds to its strength of 1; at least 0."""
    event: float = 0.5
    """How much an event without a rating says, beside 1 of an average rating; at least 0."""
    prior: float = 0.5
    """Weight of a movie's popularity, shared by 1 + the user's number of ratings; at least 0."""
    rating_shares: tuple[float, ...] = (0.3, 1.0, 3.0)
    """Candidates for the rating's weight in the score, in spreads of the interest; an inner split chooses."""
    restraints: tuple[float, ...] = (0.5, 0.0)
    """Candidates for how much popular movies are held back, in spreads of the interest; an inner split chooses."""
    min_raters: int = 3
    """Movies with fewer raters get no weights; at least 1."""
    max_movies: int = 4096
    """Most movies that get weights, the most rated; at least 1. Memory grows with its square."""
    max_ratings: int = 4_000_000
    """About how many ratings the weights are fitted on, by whole users; at least 1."""
    inner_rows: int = 50_000
    """About how many ratings the choice of the rating's share looks at, by whole users; at least 1."""

    def __post_init__(self) -> None:
        check_options(self, "interest", "above 0", "ridge")
        check_options(self, "interest", "0 up to, not including, 1", "dropout")
        check_options(self, "interest", "at least 0", "user_power", "level", "event", "prior")
        if self.sittings is not None:
            check_options(self, "interest", "at least 0", "sittings")
        for name, candidates in (("rating_shares", self.rating_shares), ("restraints", self.restraints)):
            some = bool(candidates) and min(candidates) >= 0
            check_value(f"interest.{name}", candidates, some, "at least one number, each at least 0")
        check_options(self, "interest", "at least 1", "min_raters", "max_movies", "max_ratings", "inner_rows")
