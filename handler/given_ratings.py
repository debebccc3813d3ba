"""Ratings that a client sends along: what a user who is new, or has rated since, is known by."""

from __future__ import annotations

from typing import Any

from handler.errors import RequestError, allow_fields, expect_list, shown, too_large
from model.ids import IdMap
from model.scale import RatingScale

_FIELDS = frozenset({"movie_id", "rating"})


class GivenRatings:
    """Decodes `"ratings": [{"movie_id": ..., "rating": ...}, ...]` for one model.

    `can_encode`: whether the model's network can make a user of them; `most`: how many it takes.
    """

    def __init__(self, movie_ids: IdMap, scale: RatingScale, can_encode: bool, most: int) -> None:
        self._movie_type = movie_ids.python_type
        self._scale = scale
        self._can_encode = can_encode
        self._most = most

    def decode(self, values: object, where: str) -> tuple[list[Any], list[float]]:
        """Raw movie ids and their ratings, in rating units; of a movie that is rated twice the last counts.

        Raises:
            RequestError: the model takes none, or one of them is not what it must be.
        """
        if not self._can_encode:
            raise RequestError(f"{where}: this model's network takes no new ratings; train one with the default preset")
        found = expect_list(values, where)
        if len(found) > self._most:
            raise too_large(where, len(found), "entries", self._most)
        given = dict(self._rating(item, f"{where}[{place}]") for place, item in enumerate(found))
        return list(given), list(given.values())

    def _rating(self, item: object, where: str) -> tuple[Any, float]:
        if not isinstance(item, dict):
            raise RequestError(f"{where}: expected an object, got {shown(item)}")
        allow_fields(item, _FIELDS, f"{where}.")
        for name in sorted(_FIELDS):
            if name not in item:
                raise RequestError(f"{where}.{name}: missing")
        movie_id, rating = item["movie_id"], item["rating"]
        if type(movie_id) is not self._movie_type:
            raise RequestError(f"{where}.movie_id: expected {type_name(self._movie_type)}, got {shown(movie_id)}")
        low, high = self._scale.minimum, self._scale.maximum
        if type(rating) not in (int, float) or not low <= rating <= high:
            raise RequestError(f"{where}.rating: expected a number from {low:g} to {high:g}, got {shown(rating)}")
        return movie_id, float(rating)


def type_name(python_type: type) -> str:
    """What a message calls the type of an id."""
    return "an integer" if python_type is int else "a string"
