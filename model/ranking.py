"""How recommendations are sorted: by interest, by rating, or by a blend of both; and how much popular movies lose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

import numpy as np
import torch

from model.interest import Interest, interests_of, read_interest
from model.interest_rows import InterestRows
from model.picks import Picks
from model.scale import RatingScale

RankBy = Literal["blend", "interest", "rating"]
RANKINGS: tuple[RankBy, ...] = get_args(RankBy)
# With a novelty of 1, a movie whose rarity is one standard deviation below the mean loses this many of the scores'.
MOST_NOVELTY = 2.0


class ScoreParts(NamedTuple):
    """The parts of a score: the share of each pick (n,), of the popularity, and of the rating."""

    shares: np.ndarray
    popularity: float
    rating: float


class Ranking:
    """Scores movies for users with an artifact's interest part, on the device of that part."""

    def __init__(self, stored: Interest, device: str = "cpu") -> None:
        interest = read_interest(stored)
        self._interest = interest
        self._device = torch.device(device)
        self._rating_weight = float(interest.rating_weight)
        self._rating_center = float(interest.rating_center)
        self._rarity = interest.rarity.cpu().numpy()
        self._rows = InterestRows(interest) if self._device.type == "cpu" else None

    def interests(self, picks: Sequence[Picks]) -> np.ndarray:
        """Interest (N, num_movies + 1) float32 of N users in every movie."""
        if self._rows is not None:
            return self._rows.interests(picks)
        interest: np.ndarray = interests_of(self._interest, picks).cpu().numpy()
        return interest

    def rating_reach(self, rank_by: RankBy, rated: bool, scale: RatingScale) -> float:
        """The most that a rating on this scale adds to a movie's interest, for a user with or without ratings."""
        if rank_by != "blend" or not rated:
            return 0.0
        return max(self._rating_weight * (end - self._rating_center) for end in (scale.minimum, scale.maximum))

    def scores(
        self,
        rank_by: RankBy,
        rows: np.ndarray,
        ratings: np.ndarray,
        interest: np.ndarray,
        rated: bool,
        novelty: float = 0.0,
    ) -> np.ndarray:
        """Scores (K,) float64 of the movies `rows` (K,) for one user; the highest is recommended first.

        Args:
            ratings: (K,), in rating units.
            interest: (num_movies + 1,), a row of `interests`.
            rated: whether the user has ratings. For a user without any, the interest alone decides, because their
                predicted ratings say little about them.
            novelty: 0..1, how much the score of popular movies is lowered.
        """
        if rank_by == "rating":
            scores = ratings.astype(np.float64)
            spread = float(scores.std()) if novelty and len(scores) else 0.0
        else:
            scores = interest[rows].astype(np.float64)
            spread = float(interest.std()) if novelty else 0.0
            if rank_by == "blend" and rated:
                scores += self._rating_weight * (ratings - self._rating_center)
        if novelty:
            scores += MOST_NOVELTY * novelty * spread * self._rarity[rows]
        return scores

    def parts(self, picks: Picks, movie: int, rating: float, interest: np.ndarray) -> ScoreParts:
        """The parts of the blend of one movie's rating and interest; they add up to its score."""
        with torch.inference_mode():
            strengths = picks.strengths(float(self._interest.level), float(self._interest.event))
            arrays = picks.movie_index.astype(np.int64), strengths
            movies, strength = (torch.from_numpy(array).to(self._device) for array in arrays)
            shares = self._interest.shares(movies, strength, movie).cpu().numpy().astype(np.float64)
        popularity = float(interest[movie]) - float(shares.sum())
        by_rating = self._rating_weight * (rating - self._rating_center) if len(picks.ratings) else 0.0
        return ScoreParts(shares, popularity, by_rating)
