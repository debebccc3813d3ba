"""How recommendations are sorted: by interest, by rating, or by a blend of both; and how much popular movies lose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

import numpy as np
import torch

from model.history import Rated
from model.interest import Interest
from model.interest_rows import InterestRows
from model.scale import RatingScale

RankBy = Literal["blend", "interest", "rating"]
RANKINGS: tuple[RankBy, ...] = get_args(RankBy)
# With a novelty of 1, a movie whose rarity is one standard deviation below the mean loses this many of the scores'.
MOST_NOVELTY = 2.0


class ScoreParts(NamedTuple):
    """The parts of a score: the share of each rating of the history (n,), of the popularity, and of the rating."""

    shares: np.ndarray
    popularity: float
    rating: float


class Ranking:
    """Scores movies for users with an artifact's interest part, on the device of that part."""

    def __init__(self, interest: Interest, device: str = "cpu") -> None:
        self._interest = interest
        self._device = torch.device(device)
        self._rating_weight = float(interest.rating_weight)
        self._rating_center = float(interest.rating_center)
        self._rarity = interest.rarity.cpu().numpy()
        self._rows = InterestRows(interest) if self._device.type == "cpu" else None

    def interests(self, histories: Sequence[Rated]) -> np.ndarray:
        """Interest (N, num_movies + 1) float32 of N users in every movie; each rated a movie at most once."""
        if self._rows is not None:
            return self._rows.interests(histories)
        offsets = np.zeros(len(histories) + 1, dtype=np.int64)
        np.cumsum([len(history.ratings) for history in histories], out=offsets[1:])
        movies = np.concatenate([history.movie_index for history in histories]).astype(np.int64)
        ratings = np.concatenate([history.ratings for history in histories]).astype(np.float32)
        with torch.inference_mode():
            arrays = (torch.from_numpy(array).to(self._device) for array in (movies, ratings, offsets))
            interest: np.ndarray = self._interest(*arrays).cpu().numpy()
        return interest

    def rating_reach(self, rank_by: RankBy, rated: bool, scale: RatingScale) -> float:
        """The most that a rating on this scale adds to a movie's interest, for a user with or without a history."""
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
            rated: whether the user has a history. A user without one gets the most popular movies, because their
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

    def parts(self, history: Rated, movie: int, rating: float, interest: np.ndarray) -> ScoreParts:
        """The parts of the blend of one movie's rating and interest; they add up to its score."""
        with torch.inference_mode():
            movies = torch.from_numpy(history.movie_index.astype(np.int64)).to(self._device)
            ratings = torch.from_numpy(history.ratings.astype(np.float32)).to(self._device)
            shares = self._interest.shares(movies, ratings, movie).cpu().numpy().astype(np.float64)
        popularity = float(interest[movie]) - float(shares.sum())
        by_rating = self._rating_weight * (rating - self._rating_center) if len(shares) else 0.0
        return ScoreParts(shares, popularity, by_rating)
