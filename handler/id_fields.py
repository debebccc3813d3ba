"""Fields of JSON asks that hold ids, checked against the types of one model's ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from handler.errors import RequestError, expect_list, shown, too_large
from handler.string_ids import LARGEST, exceeds_int64, integer_of
from model.ids import IdMap
from model.vocabulary import Vocabulary


class IdFields:
    """Reads ids; integer ids take `"11242"` too, and reject `"007"`, `true` and `1.0`.

    `most`: how many ids one field may hold. `words`: what the field of a movie's id is called.
    """

    def __init__(self, user_ids: IdMap, movie_ids: IdMap, most: int, words: Vocabulary) -> None:
        self.user_type = user_ids.python_type
        self.movie_type = movie_ids.python_type
        self._most = most
        self._movie_id = words.item_id

    def user_id(self, item: Mapping[str, Any], prefix: str) -> Any:
        """The field `user_id` of an item; `prefix` says in messages where the item lies.

        Raises:
            RequestError: it is missing, or of another type than the model's ids.
        """
        if "user_id" not in item:
            raise RequestError(f"{prefix}user_id: missing or null")
        return checked_id(item["user_id"], self.user_type, f"{prefix}user_id")

    def movie_id(self, item: Mapping[str, Any], prefix: str) -> Any:
        """The same of `movie_id`."""
        name = self._movie_id
        if name not in item:
            raise RequestError(f"{prefix}{name}: missing or null")
        return checked_id(item[name], self.movie_type, f"{prefix}{name}")

    def movie_ids(self, values: object, where: str) -> list[Any]:
        """An array of movie ids.

        Raises:
            RequestError: it is no array, it is too long, or one of them is of another type.
        """
        found = expect_list(values, where)
        if len(found) > self._most:
            raise too_large(where, len(found), "entries", self._most)
        if are_ids(found, self.movie_type):
            return found
        return [checked_id(value, self.movie_type, f"{where}[{place}]") for place, value in enumerate(found)]


def are_ids(values: Sequence[Any], expected: type) -> bool:
    """Whether all values, as JSON's reader gives them, are ids of the `expected` type, int or str."""
    if not set(map(type, values)) <= {expected}:
        return False
    return expected is str or max(values, default=0) <= LARGEST  # an integer below the smallest comes as a float


def checked_id(value: Any, expected: type, where: str) -> Any:
    """The value, if it is an id of the `expected` type, int or str; a string of digits becomes an expected integer.

    Raises:
        RequestError: it is of another type, or an integer that is no int64.
    """
    if are_ids([value], expected):
        return value
    if expected is int and (integer := integer_of(value)) is not None:
        return integer
    name = "an integer" if expected is int else "a string"
    if expected is int and exceeds_int64(value):
        name = "an integer of 64 bits, -2^63 to 2^63 - 1"
    raise RequestError(f"{where}: expected {name}, got {shown(value)}")
