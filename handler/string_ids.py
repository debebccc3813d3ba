"""Integer ids written as strings, in requests and in answers.

JavaScript and jq hold no integer beyond 2^53 exactly: they would ask for another user. So a model with integer ids
takes an integer's digits in a string too, and a client that sets `ids_as_strings` gets all ids as strings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from handler.errors import RequestError, shown

AS_STRINGS = "ids_as_strings"
# The one way to write an integer; `int` would take long for thousands of digits.
_DIGITS = re.compile("0|-?[1-9][0-9]*")
_MOST_CHARACTERS = 20
# The models' integer ids are int64.
_SMALLEST, LARGEST = -(2**63), 2**63 - 1


def integer_of(value: object) -> int | None:
    """The int64 that this string is; None if it is none, or is written in another way than `str` does."""
    if type(value) is str and _DIGITS.fullmatch(value) and not exceeds_int64(value):
        return int(value)
    return None


def exceeds_int64(value: object) -> bool:
    """Whether this is an integer, or the digits of one, that no id can be. JSON's reader makes floats of most."""
    if isinstance(value, str):
        return _DIGITS.fullmatch(value) is not None and (len(value) > _MOST_CHARACTERS or exceeds_int64(int(value)))
    if isinstance(value, float):
        return abs(value) >= LARGEST
    return isinstance(value, int) and not _SMALLEST <= value <= LARGEST


def wants_string_ids(item: Mapping[str, Any], prefix: str) -> bool:
    """Whether an item asks for answers whose ids are strings; `prefix` says in messages where it lies.

    Raises:
        RequestError: the field is neither true nor false.
    """
    value = item.get(AS_STRINGS, False)
    if type(value) is not bool:
        raise RequestError(f"{prefix}{AS_STRINGS}: expected true or false, got {shown(value)}")
    return value


def with_string_ids(answer: Any, id_fields: frozenset[str]) -> Any:
    """A copy of an answer, or of a part of it, whose ids are strings; they are the values of `id_fields`."""
    if isinstance(answer, list):
        return [with_string_ids(one, id_fields) for one in answer]
    if isinstance(answer, dict):
        return {
            name: str(value) if name in id_fields else with_string_ids(value, id_fields)
            for name, value in answer.items()
        }
    return answer
