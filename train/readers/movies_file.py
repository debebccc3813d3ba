"""Reads a catalogue from any file with a column of movie ids: finds the columns of facts, and groups them by movie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from model.vocabulary import Vocabulary, counted
from train.dataset.data import GENRES, TITLE, YEAR
from train.dataset.reading import Reading, listed
from train.errors import DataError
from train.readers import names
from train.readers.catalogue import Catalogue, catalogue_key, year_of, year_of_title
from train.readers.further_columns import further_columns, values_of
from train.readers.genres import find_separator, split_genres
from train.readers.ids import MISSING
from train.readers.opening import open_source
from train.readers.rules import ReadingRules
from train.readers.source import Source
from train.readers.table import Opened, Table
from train.readers.text import Layout


@dataclass(frozen=True)
class _Facts:
    """The names of a catalogue's columns; None for a column that does not exist."""

    movie: str
    title: str | None
    genres: str | None
    year: str | None
    further: list[str]

    def described(self, separator: str, words: Vocabulary) -> str:
        between = f' ("{separator}" between them)'
        uses = ((self.title, "titles"), (self.genres, f"{words.tags}{between}"), (self.year, "years"))
        return listed(
            [f"{self.movie} for {words.items}", *(f"{name} for {what}" for name, what in uses if name is not None)]
        )

    def all(self) -> list[str]:
        found = (self.movie, self.title, self.genres, self.year, *self.further)
        return list(dict.fromkeys(name for name in found if name is not None))


def read_catalogue(source: Source, rules: ReadingRules, reading: Reading) -> tuple[Catalogue, str]:
    """As `read_movies_file`, but opens the file first. Its format may differ from that of the ratings."""
    own = replace(rules, format="auto", delimiter=None, header=True)
    return read_movies_file(open_source(source, own, Layout(), reading), rules, reading)


def read_movies_file(
    opened: Opened, rules: ReadingRules, reading: Reading, taken: Sequence[str] = (), skip_without_id: bool = False
) -> tuple[Catalogue, str]:
    """The facts about movies in a file, and a description of how it was read.

    taken: columns that hold something else, such as a network's rows. skip_without_id: leave out rows with no movie id.

    Raises DataError if the file has no column of movie ids or no column of facts, or if a movie id is missing
    and not skipped.
    """
    facts = _choose_facts(opened, rules, reading, taken)
    table = opened.read(facts.all())
    column = [] if facts.genres is None else table.columns[facts.genres].to_pylist()
    separator = rules.genre_separator or find_separator(column)
    catalogue = _gathered(table, facts, column, separator, reading, skip_without_id)
    return catalogue, f"{opened.described}, {facts.described(separator, reading.words)}"


def _choose_facts(opened: Opened, rules: ReadingRules, reading: Reading, apart: Sequence[str]) -> _Facts:
    where, found = opened.name, opened.names
    asked = rules.movie_column if rules.movie_column in found else None
    movie = names.choose(names.CATALOGUE_MOVIE, where, found, asked, opened.header, reading, ())
    if movie is None:
        raise names.missing(names.CATALOGUE_MOVIE, where, found, reading.words)
    taken: list[str] = [movie, *apart]
    chosen: list[str | None] = []
    roles = ((names.TITLE, rules.title_column), (names.GENRES, rules.genres_column), (names.YEAR, rules.year_column))
    for role, wanted in roles:
        name = names.choose(role, where, found, wanted, opened.header, reading, taken)
        name = None if name in apart and wanted is None else name  # without a header line, a role has a position
        chosen.append(name)
        taken += [] if name is None else [name]
    if not any(chosen):
        told = f"no column of titles, {reading.words.tags} or years; found: {names.shown(found)}"
        raise DataError(
            f"{where}: {told}; {listed([role.said_in(reading.words).option for role, _ in roles])} name them"
        )
    further = further_columns(where, found, taken, reading) if opened.header else []
    title, genres, year = chosen
    return _Facts(movie, title, genres, year, further)


def _gathered(
    table: Table, facts: _Facts, genres: Sequence[object], separator: str, reading: Reading, skip_without_id: bool
) -> Catalogue:
    titles, years = table.texts(facts.title), _years(table, facts.year, reading)
    genres = genres or [None] * table.num_rows
    further = {name: values_of(table, name) for name in facts.further}
    catalogue: Catalogue = {}
    again: list[int] = []
    for row, raw in enumerate(table.texts(facts.movie)):
        key = catalogue_key(raw)
        if key is None and skip_without_id:
            continue
        if key is None:
            raise DataError(f"{table.locate(row)}: {facts.movie} is empty; every {reading.words.item} needs one")
        title, year = titles[row], years[row]
        fields = {
            TITLE: title,
            YEAR: year_of_title(title) if year is None else year,
            GENRES: split_genres(genres[row], separator),
            **{name: values[row] for name, values in further.items()},
        }
        if catalogue.setdefault(key, fields) != fields:
            again.append(row)
    if again:
        rows = counted(len(again), "row")
        told = f"{facts.movie} {table.columns[facts.movie][again[0]]} occurs twice, with different facts"
        reading.warn(
            f"{table.locate(again[0])}: {told}; the first row of {reading.words.an_item} counts, {rows} left out"
        )
    return catalogue


def _years(table: Table, name: str | None, reading: Reading) -> list[int | None]:
    """The years in numbers or dates. Any other value is unknown, and a warning reports it."""
    years: list[int | None] = []
    wrong: list[int] = []
    for row, value in enumerate(table.texts(name)):
        known = None
        if value is not None and value.lower() not in MISSING:
            known = year_of(value)
            if known is None:
                wrong.append(row)
        years.append(known)
    if wrong and name is not None:
        told = f'{name} "{table.columns[name][wrong[0]]}" is not a year'
        rows = counted(len(wrong), "row")
        reading.warn(f"{table.locate(wrong[0])}: {told}; unknown in {rows}; --year-column names another column")
    return years
