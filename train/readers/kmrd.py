"""KMRD (github.com/lovit/kmrd): a folder with rates.csv, and up to five files about its movies.

    rates.csv      user,movie,rate[,time]                castings.csv   movie,people[,order,leading]
    movies.txt     movie,title,title_eng,year,grade      peoples.txt    people,korean[,original]
    genres.csv     movie,genre                           countries.csv  movie,country

The two .txt files have tabs. Ratings are 1..10 as published. Every file but rates.csv may be absent.
"""

import re
from collections.abc import Sequence

from train.dataset.data import COUNTRIES, GENRES, GRADE, PEOPLE, TITLE, TITLE_ENGLISH, YEAR
from train.dataset.reading import Reading
from train.errors import DataError
from train.readers.catalogue import Catalogue
from train.readers.columns import Columns, Found
from train.readers.names import shown
from train.readers.rules import ReadingRules
from train.readers.source import Place, Source
from train.readers.table import Table
from train.readers.text import Layout, TextFile

RATINGS_FILE = "rates.csv"
RATINGS_HEADER = ("user", "movie", "rate")
CATALOGUE_FILES = ("movies.txt", "genres.csv", "castings.csv", "countries.csv", "peoples.txt")

_ENGLISH_TITLE = re.compile(r"^(?P<title>.*?)\s*,\s*(?P<year>\d{4})$")


def read_kmrd(place: Place, rules: ReadingRules, reading: Reading) -> Found:
    """Read KMRD from its folder, or from the ratings file in it. Raises DataError."""
    source = place.source or place.find(RATINGS_FILE)
    if source is None:
        raise DataError(f"{place.folder}: no {RATINGS_FILE} in this folder")
    opened = TextFile(source, rules, Layout(",", quoted=True), reading)
    time = "time" if "time" in opened.names else None
    table = _columns(opened, RATINGS_HEADER, ("time",))
    catalogue = _read_catalogue(place, rules, reading) if rules.catalogue else None
    columns = Columns(*RATINGS_HEADER, time=time)
    described = f"KMRD, {opened.described}"
    return Found(source.path, table, columns, described, catalogue, CATALOGUE_FILES[0], published_copies=True)


def _read_catalogue(place: Place, rules: ReadingRules, reading: Reading) -> Catalogue | None:
    catalogue: Catalogue = {}

    def read(name: str, wanted: Sequence[str], optional: Sequence[str] = ()) -> Table | None:
        source = place.find(name)
        return None if source is None else _read(source, wanted, optional, rules, reading)

    if movies := read("movies.txt", ("movie",), ("title", "title_eng", "year", "grade")):
        _add_titles(catalogue, movies)
    for name, column, field in (("genres.csv", "genre", GENRES), ("countries.csv", "country", COUNTRIES)):
        if table := read(name, ("movie", column)):
            for movie_id, value in zip(table.texts("movie"), table.texts(column), strict=True):
                _append(catalogue, movie_id, field, value)
    if castings := read("castings.csv", ("movie", "people"), ("order", "leading")):
        _add_people(catalogue, castings, read("peoples.txt", ("people",), ("korean", "original")))
    return catalogue or None


def _read(
    source: Source, wanted: Sequence[str], optional: Sequence[str], rules: ReadingRules, reading: Reading
) -> Table:
    layout = Layout("\t" if source.suffix == ".txt" else ",")
    return _columns(TextFile(source, rules, layout, reading), wanted, optional)


def _columns(opened: TextFile, wanted: Sequence[str], optional: Sequence[str]) -> Table:
    """The wanted columns, and those optional ones that exist. Raises DataError if one is missing or occurs twice."""
    missing = [name for name in wanted if name not in opened.names]
    if missing:
        told = f"{opened.name}: no column {', '.join(missing)}; found: {shown(opened.names)}"
        raise DataError(f"{told}; wanted: {', '.join(wanted)}")
    chosen = [*wanted, *(name for name in optional if name in opened.names)]
    doubled = [name for name in chosen if opened.names.count(name) > 1]
    if doubled:
        raise DataError(f"{opened.name}: column {', '.join(doubled)} occurs more than once; allowed is once")
    return opened.read(chosen)


def _add_titles(catalogue: Catalogue, movies: Table) -> None:
    """Takes the year at the end of the English title. KMRD's own year is only a fallback: it may be a later release."""
    titles, english_titles, years, grades = map(movies.texts, ("title", "title_eng", "year", "grade"))
    for row, movie_id in enumerate(movies.texts("movie")):
        if movie_id is None or movie_id in catalogue:
            continue
        english = english_titles[row]
        year = None if years[row] is None else movies.whole_number(row, "year")
        if match := _ENGLISH_TITLE.match(english or ""):
            english, year = match["title"] or None, int(match["year"])
        catalogue[movie_id] = {TITLE: titles[row], TITLE_ENGLISH: english, YEAR: year, GRADE: grades[row]}


def _add_people(catalogue: Catalogue, castings: Table, peoples: Table | None) -> None:
    """Adds people by name, not by number: leading roles first, then in the order of the credits."""
    if peoples is None:
        return
    known = zip(*map(peoples.texts, ("people", "korean", "original")), strict=True)
    names = {person: korean or original for person, korean, original in known}
    people, orders, leading = map(castings.texts, ("people", "order", "leading"))
    movie_ids = castings.texts("movie")
    places = [
        (leading[row] != "1", row if order is None else castings.whole_number(row, "order"), row)
        for row, order in enumerate(orders)
    ]
    for *_, row in sorted(places):
        _append(catalogue, movie_ids[row], PEOPLE, names.get(people[row]))


def _append(catalogue: Catalogue, movie_id: str | None, field: str, value: str | None) -> None:
    if movie_id is not None and value is not None:
        values = catalogue.setdefault(movie_id, {}).setdefault(field, [])
        if value not in values:
            values.append(value)
