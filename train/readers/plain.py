"""Any text, Parquet or JSON Lines file of ratings, or a folder of its parts, and the catalogue."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from train.dataset.data import GENRES, TITLE, YEAR
from train.dataset.reading import Reading, counted, listed
from train.errors import DataError
from train.readers import names
from train.readers.catalogue import Catalogue, catalogue_key, year_of, year_of_title
from train.readers.columns import Columns, Found
from train.readers.genres import find_separator, split_genres
from train.readers.json_lines import JsonFile
from train.readers.parquet import ParquetFile
from train.readers.parts import catalogue_beside, ratings_in
from train.readers.rules import ReadingRules
from train.readers.source import JSON_SUFFIXES, PARQUET_SUFFIXES, Place, Source
from train.readers.table import Opened, Table, joined
from train.readers.text import Layout, TextFile


def read_plain(place: Place, rules: ReadingRules, reading: Reading) -> Found:
    """The ratings, and the catalogue that was named, else the one beside them. Raises DataError."""
    sources = ratings_in(place)
    parts = [open_source(source, rules, Layout(fewest=3), reading) for source in sources]
    columns = _choose_columns(parts[0], rules, reading)
    table = _read_parts(parts, columns)
    described = parts[0].described + (f", {counted(len(parts), 'part')}" if len(parts) > 1 else "")
    path = sources[0].path if len(sources) == 1 else place.folder
    source = Place.at(rules.movies).source if rules.movies is not None else None
    if rules.movies is not None and source is None:
        raise DataError(f"--movies: {rules.movies}: is a folder; allowed is a file")
    asked_for = source is not None
    if source is None and rules.catalogue:
        source = catalogue_beside(place, sources)
    if source is None:
        return Found(path, table, columns, described)
    try:
        catalogue, told = read_catalogue(source, rules, reading)
    except DataError as error:
        if asked_for:
            raise
        reading.warn(f"the catalogue beside the ratings is not used: {error}")
        return Found(path, table, columns, described)
    return Found(path, table, columns, described, catalogue, source.name, told, asked_for)


def open_source(source: Source, rules: ReadingRules, layout: Layout, reading: Reading) -> Opened:
    """The file, by the format that was said, else by what its name ends in. Raises DataError."""
    said = rules.format if rules.format in ("csv", "parquet", "jsonl") else None
    if said == "parquet" or (said is None and source.suffix in PARQUET_SUFFIXES):
        return ParquetFile(source)
    if said == "jsonl" or (said is None and source.suffix in JSON_SUFFIXES):
        return JsonFile(source, rules)
    return TextFile(source, rules, layout, reading)


def read_catalogue(source: Source, rules: ReadingRules, reading: Reading) -> tuple[Catalogue, str]:
    """What a file tells of movies, and in words how it was read.

    Raises DataError where it has no column of movie ids, or none of facts.
    """
    opened = open_source(source, replace(rules, format="auto", delimiter=None), Layout(), reading)
    where, header = opened.name, opened.header
    asked = rules.movie_column if rules.movie_column in opened.names else None
    movie = names.choose(names.CATALOGUE_MOVIE, where, opened.names, asked, header, reading, ())
    if movie is None:
        raise names.missing(names.CATALOGUE_MOVIE, where, opened.names)
    taken = [movie]
    facts: list[str | None] = []
    roles = ((names.TITLE, rules.title_column), (names.GENRES, rules.genres_column), (names.YEAR, rules.year_column))
    for role, wanted in roles:
        facts.append(names.choose(role, where, opened.names, wanted, header, reading, taken))
        taken += [name for name in facts[-1:] if name is not None]
    if len(taken) == 1:
        options = listed([role.option for role, _ in roles])
        raise DataError(
            f"{where}: no column of titles, genres or years; found: {names.shown(opened.names)}; {options} name them"
        )
    uses = [f"{name} for {role.what}" for (role, _), name in zip(roles, facts, strict=True) if name is not None]
    table = opened.read(list(dict.fromkeys(taken)))
    described = f"{opened.described}, {listed([f'{movie} for movies', *uses])}"
    return _gathered(table, movie, facts, rules.genre_separator, described)


def _gathered(
    table: Table, movie: str, facts: Sequence[str | None], separator: str | None, described: str
) -> tuple[Catalogue, str]:
    title, genre, year = facts
    titles, years = table.texts(title), table.texts(year)
    genres = [None] * table.num_rows if genre is None else table.columns[genre].to_pylist()
    separator = separator or find_separator(genres)
    if genre is not None:
        described += f' ("{separator}" between them)'
    catalogue: Catalogue = {}
    for row, raw in enumerate(table.texts(movie)):
        key = catalogue_key(raw)
        if key is None:
            raise DataError(f"{table.locate(row)}: {movie} is empty; every movie needs one")
        known = _year(table, row, years[row], year, titles[row])
        fields = {TITLE: titles[row], YEAR: known, GENRES: split_genres(genres[row], separator)}
        catalogue.setdefault(key, fields)
    return catalogue, described


def _year(table: Table, row: int, value: str | None, name: str | None, title: str | None) -> int | None:
    if value is None:
        return year_of_title(title)
    try:
        return year_of(value)
    except ValueError:
        raise DataError(
            f'{table.locate(row)}: {name} "{value}" is not a year; name another with --year-column'
        ) from None


def _choose_columns(opened: Opened, rules: ReadingRules, reading: Reading) -> Columns:
    where, found = opened.name, opened.names
    if not opened.header and len(found) < len(names.RATINGS_ROLES):
        told = f"{where}: {len(found)} columns; allowed are 3 or more: user, movie, rating"
        raise DataError(f"{told}; if others lie between the fields: --delimiter")
    taken: list[str] = []
    asked = (rules.user_column, rules.movie_column, rules.rating_column)
    for role, wanted in zip(names.RATINGS_ROLES, asked, strict=True):
        name = names.choose(role, where, found, wanted, opened.header, reading, taken)
        if name is None:
            raise names.missing(role, where, found)
        taken.append(name)
    if len(set(taken)) < len(taken):
        raise DataError(f"{where}: got the columns {listed(taken)}; allowed are three different ones")
    if not opened.header:
        _tell_numbered(opened, taken, rules, reading)
    time = names.choose(names.TIME, where, found, rules.time_column, opened.header, Reading(), taken)
    user, movie, rating = taken
    return Columns(user, movie, rating, None if time in taken else time)


def _tell_numbered(opened: Opened, taken: list[str], rules: ReadingRules, reading: Reading) -> None:
    """Columns that are taken by their place alone may be others."""
    roles = zip(names.RATINGS_ROLES, taken, (rules.user_column, rules.movie_column, rules.rating_column), strict=True)
    guessed = [(role, name) for role, name, wanted in roles if wanted is None]
    if guessed:
        told = listed([f"column {name} is taken for {role.what}" for role, name in guessed])
        options = listed([role.option for role, _ in guessed])
        reading.warn(f"{opened.name}: no header line, so {told}: {options} decide, by number")


def _read_parts(parts: Sequence[Opened], columns: Columns) -> Table:
    chosen = [columns.user, columns.movie, columns.rating, *([columns.time] if columns.time else [])]
    tables = []
    for part in parts:
        lacking = [name for name in chosen if name not in part.names]
        if lacking:
            told = f"no column {listed(lacking)}, which {parts[0].name} has; found: {names.shown(part.names)}"
            raise DataError(f"{part.name}: {told}; allowed are parts of one table")
        tables.append(part.read(chosen))
    digests = "".join(table.sha256 for table in tables)
    sha256 = tables[0].sha256 if len(tables) == 1 else hashlib.sha256(digests.encode()).hexdigest()
    return joined(tables, sha256)
