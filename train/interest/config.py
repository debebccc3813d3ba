"""Options of the interest part. Every field is an option of `python -m train`; its docstring is its help."""

from __future__ import annotations

from dataclasses import dataclass

from train.option_rules import check_options, check_value


@dataclass(frozen=True)
class InterestConfig:
    """Options of the interest part, which ranks recommendations beside the predicted rating.

    The defaults did best on inner splits of KMRD, ml-latest-small and MovieTweetings.

    Raises:
        ValueError: a value is not in the range that its docstring gives.
    """

    ridge: float = 200.0
    """Shrinkage of the item-to-item weights; above 0."""
    dropout: float = 0.3
    """Extra shrinkage for popular movies, as if this share of the history were dropped; 0 <= dropout < 1."""
    user_power: float = 0.5
    """A user with n ratings has the weight n^-user_power; at least 0. It keeps a few busy users from dominating."""
    sittings: float | None = None
    """Extra weight for pairs of movies that a user rated within a day, a week or a month of each other; at least 0. The
    default is 1, or 0 with a split by time or --tune-for future: it helps to find what was rated at the same time, not
    what comes next."""
    level: float = 0.4
    """How much a rating one standard deviation above the user's mean adds to its weight of 1; at least 0."""
    event: float = 0.5
    """Weight of an event without a rating; at least 0. An average rating has the weight 1."""
    prior: float = 0.5
    """Weight of a movie's popularity, divided by 1 + the user's number of ratings; at least 0."""
    rating_shares: tuple[float, ...] = (0.3, 1.0, 3.0)
    """Candidate weights of the rating in the score, in spreads of the interest. An inner split chooses one."""
    restraints: tuple[float, ...] = (0.5, 0.0)
    """Candidates for how far popular movies move down, in spreads of the interest. An inner split chooses one."""
    min_raters: int = 3
    """Movies with fewer raters get no weights; at least 1."""
    max_movies: int = 4096
    """Movies with weights for each other, the most rated first; at least 1. Memory grows with the square."""
    neighbours: int = 50
    """The most weights of each other movie, those of its nearest movies; at least 1. It is less where there are more
    than 16,000 other movies, so that the time stays bounded."""
    max_ratings: int = 4_000_000
    """About how many ratings to fit the weights on, always all ratings of a user; at least 1."""
    inner_rows: int = 50_000
    """About how many ratings to choose the rating's weight on, always all ratings of a user; at least 1."""

    def __post_init__(self) -> None:
        check_options(self, "interest", "above 0", "ridge")
        check_options(self, "interest", "0 up to, not including, 1", "dropout")
        check_options(self, "interest", "at least 0", "user_power", "level", "event", "prior")
        if self.sittings is not None:
            check_options(self, "interest", "at least 0", "sittings")
        for name, candidates in (("rating_shares", self.rating_shares), ("restraints", self.restraints)):
            some = bool(candidates) and min(candidates) >= 0
            check_value(f"interest.{name}", candidates, some, "at least one number, each at least 0")
        check_options(
            self, "interest", "at least 1", "min_raters", "max_movies", "neighbours", "max_ratings", "inner_rows"
        )
