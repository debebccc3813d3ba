"""The catalogue: facts about the movies, collected by the readers. Its ids get the type of the ratings' ids."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pandas as pd

from model.vocabulary import Vocabulary, counted
from train.dataset.data import CATALOGUE_COLUMNS, CATALOGUE_LISTS, MOVIE_ID, TITLE
from train.dataset.integer_ids import is_integer_id
from train.dataset.reading import Reading

Catalogue = dict[str, dict[str, Any]]  # raw movie id, as the file has it -> some of CATALOGUE_COLUMNS, and others

_YEAR_AT_END = re.compile(r"\((\d{4})(?:\s*[-\u2013]\s*(?:\d{4})?)?\)\s*$")  # with a hyphen or an en dash
_YEAR = re.compile(r"^(\d{4})(?:\.0+)?(?:[-/.T ]\d.*)?$|^.*[-/. ](\d{4})$")  # 1990, 1990.0, 1990-05-01, 01-Jan-1990
_WHOLE = re.compile(r"^(-?\d+)\.0+$")
_FEW = 0.5  # of the rated movies; a catalogue that knows fewer may describe other movies


def catalogue_key(raw: str | None) -> str | None:
    """A movie id in the form that is looked up: without surrounding blanks; None for an empty id."""
    return None if raw is None else raw.strip() or None


def catalogue_frame(catalogue: Catalogue, integer: bool) -> pd.DataFrame:
    """One row per movie: movie_id and every column with at least one value, those of CATALOGUE_COLUMNS first.

    integer: the ratings' movie ids are int64. Then 10.0 is read as 10, as in the ratings. A movie whose id is not
    an integer cannot occur in the ratings, so it is left out.
    """
    if integer:
        whole = {_WHOLE.sub(r"\1", movie_id): fields for movie_id, fields in reversed(catalogue.items())}
        catalogue = {one: whole[one] for one in reversed(whole) if is_integer_id(one)}
    ids = (
        pd.array([int(one) for one in catalogue], dtype="int64") if integer else pd.array(list(catalogue), dtype="str")
    )
    columns: dict[str, Any] = {MOVIE_ID: ids}
    further = dict.fromkeys(name for fields in catalogue.values() for name in fields)
    for name in dict.fromkeys((*CATALOGUE_COLUMNS, *further)):
        values = [fields.get(name) for fields in catalogue.values()]
        if any(value not in (None, [], "") for value in values):
            if name in CATALOGUE_LISTS:
                values = [value or [] for value in values]
            columns[name] = pd.Series(values, dtype="object")  # object keeps None and int apart from NaN and float
    return pd.DataFrame(columns)


def tell_joined(name: str, described: str, movies: pd.DataFrame, counts: pd.Series, reading: Reading) -> int:
    """Reports how many rated movies the catalogue knows, with an example, so that a person can check the match.

    counts: how many ratings each rated movie has, by id, the largest first. Returns the number.
    """
    words = reading.words
    known = counts.index.isin(movies[MOVIE_ID])
    number = int(known.sum())
    how = f": {described}; " if described else ": "
    told = f"catalogue {name}{how}{len(movies):,} {words.items}, {number:,} of the {len(counts):,} rated ones"
    if number and TITLE in movies:
        most = counts.index[known][0]
        title = movies.loc[movies[MOVIE_ID] == most, TITLE].iloc[0]
        told += f"; {most}, rated {counted(int(counts.iloc[known.argmax()]), 'time')}, is {title!r}"
    reading.say(told)
    if 0 < number < _FEW * len(counts):
        told = f"{name}: knows {number:,} of {len(counts):,} rated {words.items}: does it describe other {words.items}?"
        reading.warn(f"{told} {_way(words)}")
    return number


def option_of_catalogue(words: Vocabulary) -> str:
    """The option that names the catalogue."""
    return "--movies" if words.item == Vocabulary.item else "--items"


def _way(words: Vocabulary) -> str:
    return f"{option_of_catalogue(words)} FILE reads another, --no-catalogue reads none"


def not_joined(name: str, movies: Iterable[Any], rated: Iterable[Any], words: Vocabulary) -> str:
    """Why a catalogue that knows no rated movie is not used."""
    shown = " and ".join(f'"{next(iter(ids), "")}"' for ids in (rated, movies))
    return f"{name}: knows none of the rated {words.items} (ids such as {shown}); {_way(words)}"


def year_of(value: str) -> int | None:
    """The year 1990 in '1990', '1990.0', '1990-05-01' or '01-Jan-1990'; None for other text."""
    found = _YEAR.match(value)
    return None if found is None else int(found.group(1) or found.group(2))


def year_of_title(title: str | None) -> int | None:
    """1995 of 'Toy Story (1995)', 2005 of 'A Series (2005-2009)'; None if the title does not end with a year."""
    found = _YEAR_AT_END.search(title or "")
    return int(found.group(1)) if found else None
