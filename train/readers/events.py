"""Reads events: clicks, views or purchases, in which a user chose a movie without rating it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from model.vocabulary import counted
from train.dataset.data import MOVIE_ID, TIME, USER_ID, EventsData, RatingsData
from train.dataset.reading import Reading
from train.errors import DataError
from train.readers import names
from train.readers.ids import id_type, read_ids
from train.readers.opening import open_source
from train.readers.rules import IdType, ReadingRules
from train.readers.sieve import Sieve, tell_bad_lines
from train.readers.source import Place
from train.readers.table import Opened
from train.readers.text import Layout
from train.readers.times import read_times


@dataclass(frozen=True)
class KnownIds:
    """What events must fit: the types of ids, the raw ids of the movies that count, and whose they are, for errors."""

    user_ids: IdType
    movie_ids: IdType
    movies: Sequence[Any]
    owner: str

    @classmethod
    def of_ratings(cls, data: RatingsData) -> KnownIds:
        """The ids of these ratings."""
        types = id_type(data.ratings[USER_ID]), id_type(data.ratings[MOVIE_ID])
        return cls(*types, data.ratings[MOVIE_ID].unique().tolist(), data.source.name)


def load_events(path: Path, known_ids: KnownIds, skip_bad_lines: int, reading: Reading) -> EventsData:
    """Reads a file of events; the report goes into `reading`.

    Raises:
        DataError: the path is not a file, a column is missing, an id is unusable, or no movie of the file is known.
    """
    source = Place.at(path).source
    if source is None:
        raise DataError(f"--events: {path}: is a folder; allowed is a file")
    rules = ReadingRules(
        user_ids=known_ids.user_ids,
        movie_ids=known_ids.movie_ids,
        skip_bad_lines=skip_bad_lines,
    )
    opened = open_source(source, rules, Layout(fewest=2), reading)
    user, movie, time = _columns(opened, reading)
    table = opened.read([user, movie, *([time] if time else [])])
    sieve = Sieve(table, skip_bad_lines)
    columns = {
        USER_ID: read_ids(table, user, names.USER, rules.user_ids, sieve, reading)[0],
        MOVIE_ID: read_ids(table, movie, names.MOVIE, rules.movie_ids, sieve, reading)[0],
    }
    times = read_times(table, time, False, sieve, reading) if time else None
    columns |= {} if times is None else {TIME: pa.chunked_array([times])}
    tell_bad_lines(sieve.bad_lines, sieve.first_bad_lines, reading)
    frame = pa.table(columns).filter(pa.array(sieve.kept)).to_pandas()
    if not len(frame):
        raise DataError(f"{table.name}: no events; allowed is at least one line of a user and a movie")
    known = frame[MOVIE_ID].isin(known_ids.movies).to_numpy(dtype=np.bool_)
    if not known.any():
        items = reading.words.items
        told = f"{table.name}: none of its {items}, such as {frame[MOVIE_ID].iloc[0]}, is known"
        raise DataError(f"{told}; allowed are the {reading.words.item} ids of {known_ids.owner}")
    _tell(table.name, frame, known, reading)
    return EventsData(frame, source.path, table.sha256)


def _columns(opened: Opened, reading: Reading) -> tuple[str, str, str | None]:
    """The columns of users, movies and times."""
    taken: list[str] = []
    for role in (names.USER, names.MOVIE):
        name = names.choose(role, opened.name, opened.names, None, opened.header, reading, taken)
        if name is None:
            role = role.said_in(reading.words)
            known = ", ".join(role.known[:3])
            found = names.shown(opened.names)
            raise DataError(f"{opened.name}: no column of {role.what}; found: {found}; allowed names: {known}")
        taken.append(name)
    user, movie = taken
    unheard = Reading(words=reading.words)
    return user, movie, names.choose(names.TIME, opened.name, opened.names, None, opened.header, unheard, taken)


def _tell(name: str, frame: pd.DataFrame, known: npt.NDArray[np.bool_], reading: Reading) -> None:
    words = reading.words
    rated = counted(frame[MOVIE_ID].nunique(), words.item, words.items)
    told = f"{counted(len(frame), 'event')} by {counted(frame[USER_ID].nunique(), 'user')} of {rated}"
    others = f"{counted(int((~known).sum()), 'event')} of unknown {words.items}"
    reading.say(f"{name}: {told}, {others}")
