"""What is known about the movies: gathered by the readers, its ids given the type that the ratings' have."""

import re
from typing import Any

import pandas as pd

from train.dataset.data import CATALOGUE_COLUMNS, CATALOGUE_LISTS, MOVIE_ID
from train.dataset.integer_ids import is_integer_id

Catalogue = dict[str, dict[str, Any]]  # raw movie id, as the file has it -> some of CATALOGUE_COLUMNS

_YEAR_AT_END = re.compile(r"\((\d{4})(?:\s*[-\u2013]\s*(?:\d{4})?)?\)\s*$")  # with a hyphen or an en dash


def catalogue_frame(catalogue: Catalogue, integer: bool) -> pd.DataFrame:
    """One row per movie with movie_id and each of CATALOGUE_COLUMNS that some movie has a value in.

    integer: the ratings' movie ids are int64. A movie whose id is not canonically one cannot occur in them,
    and is left out.
    """
    kept = {movie_id: fields for movie_id, fields in catalogue.items() if not integer or is_integer_id(movie_id)}
    ids = (
        pd.array([int(movie_id) for movie_id in kept], dtype="int64") if integer else pd.array(list(kept), dtype="str")
    )
    columns: dict[str, Any] = {MOVIE_ID: ids}
    for name in CATALOGUE_COLUMNS:
        values = [fields.get(name) for fields in kept.values()]
        if any(values):
            if name in CATALOGUE_LISTS:
                values = [value or [] for value in values]
            columns[name] = pd.Series(values, dtype="object")  # object keeps None and int apart from NaN and float
    return pd.DataFrame(columns)


def year_of_title(title: str | None) -> int | None:
    """1995 of 'Toy Story (1995)', 2005 of 'A Series (2005-2009)'; None where no year ends the title."""
    found = _YEAR_AT_END.search(title or "")
    return int(found.group(1)) if found else None


def split_genres(genres: str | list[str] | None) -> list[str]:
    """['Comedy', 'Drama'] of 'Comedy|Drama' or such a list; [] of None or MovieLens' '(no genres listed)'."""
    listed = genres.split("|") if isinstance(genres, str) else genres or []
    return [genre.strip() for genre in listed if genre.strip() not in ("", "(no genres listed)")]
