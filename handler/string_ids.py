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
# The one way to write an integer; no longer than the longest of 64 bits, so that `int` takes no time.
_DIGITS = re.compile("0|-?[1-9][0-9]{0,19}")
_SMALLEST = -(2**63)
_LARGEST = 2**64 - 1


def integer_of(value: object) -> int | None:
    """The integer of 64 bits that this string is; None if it is none, or is written in another way than `str` does."""
    if type(value) is str and _DIGITS.fullmatch(value) and _SMALLEST <= int(value) <= _LARGEST:
        return int(value)
    return None


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
