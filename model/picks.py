"""What users picked: the movies that they rated, and the movies of their events. Each pick has a strength.

x(h) = 1 + level (rating(h) - the user's mean rating)   for a rating
x(h) = event                                            for an event
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from model.events import NO_EVENTS, EventHistory
from model.history import History


class Picks(NamedTuple):
    """One user's picks, each movie once: rows of movies (n,) int32, and ratings (r,) float32, in rating units.

    The first r movies have these ratings. The other n - r are those of events.
    """

    movie_index: np.ndarray
    ratings: np.ndarray

    @property
    def events(self) -> np.ndarray:
        """Rows (n - r,) of the movies of events."""
        return self.movie_index[len(self.ratings) :]

    def strengths(self, level: float, event: float) -> np.ndarray:
        """x (n,) float32: the strength of each pick."""
        mean = self.ratings.sum(dtype=np.float32) / max(len(self.ratings), 1)
        rated: np.ndarray = 1 + level * (self.ratings.astype(np.float32, copy=False) - mean)
        events = len(self.movie_index) - len(rated)
        return np.append(rated, np.full(events, event, dtype=np.float32)) if events else rated


@dataclass(frozen=True)
class UserPicks:
    """The picks of all users."""

    history: History
    events: EventHistory = NO_EVENTS

    def of_user(self, user_row: int) -> Picks:
        """A user's picks: the last rating of each movie, and then the events; none for the unknown user."""
        movies, ratings = self.history.last_of_user(user_row)
        events = self.events.of_user(user_row)
        return Picks(np.append(movies, events) if len(events) else movies, ratings)
