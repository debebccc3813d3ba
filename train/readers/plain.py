"""Any text, Parquet or JSON Lines file of ratings, or a folder of its parts, and the catalogue."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from model.vocabulary import counted
from train.dataset.reading import Reading, listed
from train.errors import DataError
from train.readers import names
from train.readers.columns import Columns, Found
from train.readers.movies_file import read_catalogue
from train.readers.opening import open_source
from train.readers.parts import catalogue_beside, ratings_in
from train.readers.rules import ReadingRules
from train.readers.source import Place, Source
from train.readers.table import Opened, Table, joined
from train.readers.text import Layout


def read_plain(place: Place, rules: ReadingRules, reading: Reading) -> Found:
    """Reads the ratings, and the catalogue that an option names or that lies beside them. Raises DataError."""
    return read_files(place, ratings_in(place, reading), rules, reading)


def read_files(place: Place, sources: Sequence[Source], rules: ReadingRules, reading: Reading) -> Found:
    """The same of these files, which are parts of one table and lie in `place`. Raises DataError."""
    parts = [open_source(source, rules, Layout(fewest=3), reading) for source in sources]
    columns = choose_columns(parts[0], rules, reading)
    table = _read_parts(parts, columns)
    if not parts[0].header:
        tell_numbered(table, columns, rules, reading)
    described = parts[0].described + (f", {counted(len(parts), 'part')}" if len(parts) > 1 else "")
    found = Found(sources[0].path if len(sources) == 1 else place.folder, table, columns, described)
    return with_catalogue(found, place, sources, rules, reading)


def with_catalogue(
    found: Found, place: Place, sources: Sequence[Source], rules: ReadingRules, reading: Reading
) -> Found:
    """The same with the catalogue that was named, else the one beside the ratings."""
    source = Place.at(rules.movies).source if rules.movies is not None else None
    if rules.movies is not None and source is None:
        raise DataError(f"--movies: {rules.movies}: is a folder; allowed is a file")
    asked_for = source is not None
    if source is None and rules.catalogue:
        source = catalogue_beside(place, sources, reading)
    if source is None:
        return found
    try:
        catalogue, told = read_catalogue(source, rules, reading)
    except DataError as error:
        if asked_for:
            raise
        reading.warn(f"the catalogue beside the ratings is not used: {error}")
        return found
    return replace(
        found, catalogue=catalogue, catalogue_name=source.name, catalogue_described=told, asked_for=asked_for
    )


def choose_columns(opened: Opened, rules: ReadingRules, reading: Reading) -> Columns:
    """Chooses the columns of users, movies, ratings and times. Only times may be missing. Raises DataError."""
    where, found = opened.name, opened.names
    if not opened.header and len(found) < len(names.RATINGS_ROLES):
        told = f"{where}: {counted(len(found), 'column')}; allowed are 3 or more: user, {reading.words.item}, rating"
        raise DataError(f"{told}; if the delimiter is another one, give --delimiter")
    taken: list[str] = []
    asked = (rules.user_column, rules.movie_column, rules.rating_column)
    for role, wanted in zip(names.RATINGS_ROLES, asked, strict=True):
        name = names.choose(role, where, found, wanted, opened.header, reading, taken)
        if name is None:
            raise names.missing(role, where, found, reading.words)
        taken.append(name)
    if len(set(taken)) < len(taken):
        raise DataError(f"{where}: got the columns {listed(taken)}; allowed are three different ones")
    time = names.choose(names.TIME, where, found, rules.time_column, opened.header, Reading(words=reading.words), taken)
    user, movie, rating = taken
    return Columns(user, movie, rating, None if time in taken else time)


def tell_numbered(table: Table, columns: Columns, rules: ReadingRules, reading: Reading) -> None:
    """Shows the first row if columns were chosen only by position, so that a person can check the choice."""
    roles = (
        (names.USER, columns.user, rules.user_column),
        (names.MOVIE, columns.movie, rules.movie_column),
        (names.RATING, columns.rating, rules.rating_column),
    )
    guessed = [(role.said_in(reading.words), name) for role, name, asked in roles if asked is None]
    if guessed and table.num_rows:
        told = listed([f"{role.what[:-1]} {table.columns[name][0]}" for role, name in guessed])
        options = listed([role.option for role, _ in guessed])
        reading.warn(
            f"{table.name}: no header line, so columns are chosen by position, and the first row is {told}: "
            f"{options} choose others, by number"
        )


def chosen_names(columns: Columns) -> list[str]:
    """The names of the columns to read."""
    return [columns.user, columns.movie, columns.rating, *([columns.time] if columns.time else [])]


def check_columns(part: Opened, chosen: Sequence[str], first: str) -> None:
    """Raises DataError if a part lacks one of the chosen columns. first: the name of the first part."""
    lacking = [name for name in chosen if name not in part.names]
    if lacking:
        told = f"no column {listed(lacking)}, which {first} has; found: {names.shown(part.names)}"
        raise DataError(f"{part.name}: {told}; allowed are parts of one table")


def _read_parts(parts: Sequence[Opened], columns: Columns) -> Table:
    chosen = chosen_names(columns)
    tables = []
    for part in parts:
        check_columns(part, chosen, parts[0].name)
        tables.append(part.read(chosen))
    digests = "".join(table.sha256 for table in tables)
    sha256 = tables[0].sha256 if len(tables) == 1 else hashlib.sha256(digests.encode()).hexdigest()
    return joined(tables, sha256)
