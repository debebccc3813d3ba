"""Options that several kinds of asks share: how many, which genres, which fields of the catalogue."""

from __future__ import annotations

from handler.errors import RequestError, expect_list, shown
from handler.schema_terms import Schema, array_of
from model.catalogue import GENRES, NAMES_IN_ANSWERS, TITLE, Catalogue
from model.vocabulary import Vocabulary

_ALWAYS_SHOWN = frozenset({TITLE, GENRES})


def count(value: object, where: str, most: int) -> int:
    """A number of entries, 1 to `most`.

    Raises:
        RequestError: it is none.
    """
    if type(value) is not int or not 1 <= value <= most:
        raise RequestError(f"{where}: expected an integer from 1 to {most}, got {shown(value)}")
    return value


def count_schema(most: int) -> Schema:
    """What `count` accepts."""
    return {"type": "integer", "minimum": 1, "maximum": most}


def genres(values: object, where: str, catalogue: Catalogue) -> list[str]:
    """Genres of the catalogue, each once.

    Raises:
        RequestError: one of them is none.
    """
    return _names(values, where, list(catalogue.genres)) if values != [] else []


def fields(values: object, where: str, catalogue: Catalogue, words: Vocabulary) -> list[str]:
    """Columns of the catalogue that an answer is to show beside title and genres, each once.

    Raises:
        RequestError: one of them is none.
    """
    return _names(values, where, shown_columns(catalogue, words)) if values != [] else []


def fields_schema(catalogue: Catalogue, words: Vocabulary) -> Schema:
    """What `fields` accepts."""
    names = shown_columns(catalogue, words)
    return array_of({"enum": names}) if names else {"type": "array", "maxItems": 0}


def shown_columns(catalogue: Catalogue, words: Vocabulary) -> list[str]:
    """The columns that an answer shows only where they are asked for."""
    others = _ALWAYS_SHOWN | NAMES_IN_ANSWERS | {words.item_id, words.tags}
    return [name for name in catalogue.columns if name not in others]


def _names(values: object, where: str, allowed: list[str]) -> list[str]:
    names = expect_list(values, where)
    for place, name in enumerate(names):
        if not isinstance(name, str) or name not in allowed:
            raise RequestError(f"{where}[{place}]: got {shown(name)}, allowed: {', '.join(allowed) or 'none'}")
    return list(dict.fromkeys(names))
