"""KMRD (github.com/lovit/kmrd): a folder with rates.csv, and up to five files about its movies.

    rates.csv      user,movie,rate[,time]                castings.csv   movie,people[,order,leading]
    movies.txt     movie,title,title_eng,year,grade      peoples.txt    people,korean[,original]
    genres.csv     movie,genre                           countries.csv  movie,country

The two .txt files have tabs. Ratings are 1..10 as published. Every file but rates.csv may be absent.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from train.dataset.data import COUNTRIES, GENRES, GRADE, PEOPLE, TITLE, TITLE_ENGLISH, YEAR, RatingsData
from train.readers.catalogue import Catalogue
from train.readers.columns import ratings_data
from train.readers.table import Table
from train.readers.text import Layout, read_text

RATINGS_FILE = "rates.csv"
RATINGS_HEADER = ("user", "movie", "rate")
CATALOGUE_FILES = ("movies.txt", "genres.csv", "castings.csv", "countries.csv", "peoples.txt")

_ENGLISH_TITLE = re.compile(r"^(?P<title>.*?)\s*,\s*(?P<year>\d{4})$")


def read_kmrd(path: Path, rating_scale: tuple[float, float] | None = None) -> RatingsData:
    """Read KMRD from its folder, or from the ratings file in it. Raises DataError."""
    ratings = path / RATINGS_FILE if path.is_dir() else path
    table = read_text(ratings, RATINGS_HEADER)
    return ratings_data(table, RATINGS_HEADER, rating_scale, _read_catalogue(ratings.parent))


def _read_catalogue(folder: Path) -> Catalogue | None:
    catalogue: Catalogue = {}
    if movies := _read(folder / "movies.txt", ("movie",), ("title", "title_eng", "year", "grade")):
        _add_titles(catalogue, movies)
    for name, column, field in (("genres.csv", "genre", GENRES), ("countries.csv", "country", COUNTRIES)):
        if table := _read(folder / name, ("movie", column)):
            for movie_id, value in zip(table.keys("movie"), table.texts(column), strict=True):
                _append(catalogue, movie_id, field, value)
    if castings := _read(folder / "castings.csv", ("movie", "people"), ("order", "leading")):
        _add_people(catalogue, castings, _read(folder / "peoples.txt", ("people",), ("korean", "original")))
    return catalogue or None


def _read(path: Path, wanted: Sequence[str], optional: Sequence[str] = ()) -> Table | None:
    if not path.exists():
        return None
    return read_text(path, wanted, optional, Layout(delimiter="\t" if path.suffix == ".txt" else ","))


def _add_titles(catalogue: Catalogue, movies: Table) -> None:
    """The film's year ends its English title; KMRD's year, of a late release in Korea, only stands in."""
    titles, english_titles, years, grades = map(movies.texts, ("title", "title_eng", "year", "grade"))
    for row, movie_id in enumerate(movies.keys("movie")):
        if movie_id is None or movie_id in catalogue:
            continue
        english = english_titles[row]
        year = None if years[row] is None else movies.whole_number(row, "year")
        if match := _ENGLISH_TITLE.match(english or ""):
            english, year = match["title"] or None, int(match["year"])
        catalogue[movie_id] = {TITLE: titles[row], TITLE_ENGLISH: english, YEAR: year, GRADE: grades[row]}


def _add_people(catalogue: Catalogue, castings: Table, peoples: Table | None) -> None:
    """Names rather than numbers, the leading ones first, then in the order of the credits."""
    if peoples is None:
        return
    known = zip(*map(peoples.texts, ("people", "korean", "original")), strict=True)
    names = {person: korean or original for person, korean, original in known}
    people, orders, leading = map(castings.texts, ("people", "order", "leading"))
    movie_ids = castings.keys("movie")
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
