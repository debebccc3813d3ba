"""Read ratings from a database: open it, choose the table or query, and read the result."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from train.dataset.reading import Reading
from train.errors import DataError
from train.readers.address import is_postgres
from train.readers.catalogue import Catalogue
from train.readers.columns import Found
from train.readers.database import Database, Relation, in_brackets, ratings_relation
from train.readers.movies_file import read_catalogue, read_movies_file
from train.readers.parts import CATALOGUE_STEMS, RATINGS_STEMS
from train.readers.plain import choose_columns
from train.readers.postgres import Postgres
from train.readers.rules import ReadingRules
from train.readers.source import Place
from train.readers.sqlite import Sqlite


def read_database(place: str | Path, rules: ReadingRules, reading: Reading) -> Found:
    """Reads the ratings and the catalogue; the catalogue is a second query, a file, or another table.

    Raises DataError.
    """
    if rules.format != "auto":
        raise DataError(f"--format: got {rules.format}; a database has none")
    with closing(_connect(place)) as database:
        opened = ratings_relation(database, rules, RATINGS_STEMS, reading)
        columns = choose_columns(opened, rules, reading)
        chosen = [columns.user, columns.movie, columns.rating, *([columns.time] if columns.time else [])]
        table = opened.read(chosen)
        if rules.since is not None:
            reading.say(f"{table.name}: rows of {columns.time} {rules.since} and later only")
        if not table.num_rows:
            since = f" from {columns.time} {rules.since} on" if rules.since is not None else ""
            raise DataError(f"{table.name}: no ratings: {opened.described.split(', ', 1)[1]} gives no rows{since}")
        found = _catalogue(database, rules, reading)
    source = Path(database.database)
    if found is None:
        return Found(source, table, columns, opened.described)
    catalogue, told, name = found
    asked_for = rules.movies_query is not None or rules.movies is not None
    return Found(source, table, columns, opened.described, catalogue, name, told, asked_for)


def _connect(place: str | Path) -> Database:
    return Postgres(str(place)) if is_postgres(place) else Sqlite(Path(place))


def _catalogue(database: Database, rules: ReadingRules, reading: Reading) -> tuple[Catalogue, str, str] | None:
    """The catalogue, a description of how it was read, and its name; None if there is none."""
    if rules.movies is not None:
        source = Place.at(rules.movies).source
        if source is None:
            raise DataError(f"--movies: {rules.movies}: is a folder; allowed is a file")
        return (*read_catalogue(source, rules, reading), source.name)
    if rules.movies_query is not None:
        relation = Relation(database, in_brackets(rules.movies_query), "the second query")
        return (*read_movies_file(relation, rules, reading), database.name)
    if rules.query is not None or not rules.catalogue:
        return None
    tables = database.tables()
    beside = [name for name in tables if name.lower() in CATALOGUE_STEMS]
    if len(beside) != 1:
        return None
    try:
        relation = Relation(database, tables[beside[0]], f"table {beside[0]}")
        return (*read_movies_file(relation, rules, reading), f"{database.name}, {beside[0]}")
    except DataError as error:
        reading.warn(f"the catalogue beside the ratings is not used: {error}")
        return None
