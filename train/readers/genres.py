"""A movie's genres, with any separator between them."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

SEPARATORS = ("|", ";", ",")
_NONE = ("", "(no genres listed)", "\\N", "N/A", "nan", "None")


def find_separator(column: Sequence[Any]) -> str:
    """The separator of a column of genres: the first of SEPARATORS that occurs in any of its texts."""
    texts = [value for value in column if isinstance(value, str) and not _is_list(value)]
    return next((one for one in SEPARATORS if any(one in text for text in texts)), SEPARATORS[0])


def split_genres(genres: Any, separator: str = "|") -> list[str]:
    """['Comedy', 'Drama'] for 'Comedy|Drama' or for a list; [] for None or MovieLens' '(no genres listed)'.

    Text that contains a list is read as one: a list of names, or of objects with a name.
    """
    if isinstance(genres, str):
        listed = _literal(genres) if _is_list(genres) else genres.split(separator)
    else:
        listed = genres if isinstance(genres, list) else [] if genres is None else [genres]
    names = (one.get("name") if isinstance(one, dict) else one for one in listed)
    stripped = (str(name).strip() for name in names if name is not None)
    return list(dict.fromkeys(name for name in stripped if name not in _NONE))


def _is_list(text: str) -> bool:
    return text.strip().startswith("[") and text.strip().endswith("]")


def _literal(text: str) -> list[Any]:
    """The list that a text contains in Python's or JSON's notation; other text is one genre."""
    try:
        found = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError):
        return [text]
    return found if isinstance(found, list) else [text]
