"""MovieLens (grouplens.org/datasets/movielens) and data sets like it, in its three published formats.

    latest, 20M, 25M, 32M    ratings.csv  userId,movieId,rating[,timestamp]   movies.csv  movieId,title,genres
    1M, 10M, MovieTweetings  ratings.dat  user::movie::rating[::timestamp]    movies.dat  movie::title::genres
    100K                     u.data       user, movie, rating, timestamp      u.item      movie|title|…|flags
                             (tabs)                                           u.genre     genre|number

The movie file lies beside the ratings and may be absent. A title keeps its '(1995)', which gives the year. Files with
header lines are read like any text file. Files without header lines are read here.
"""

from __future__ import annotations

from dataclasses import dataclass

from train.dataset.data import GENRES, TITLE, YEAR
from train.dataset.reading import Reading
from train.errors import DataError
from train.readers.catalogue import Catalogue, year_of_title
from train.readers.columns import Columns, Found
from train.readers.dialect import fields
from train.readers.genres import find_separator, split_genres
from train.readers.names import shown
from train.readers.plain import read_plain
from train.readers.rules import ReadingRules
from train.readers.source import Place, Source
from train.readers.table import Table
from train.readers.text import Layout, TextFile, first_lines

_FIELDS = ("user", "movie", "rating", "timestamp")
_MOVIE_FIELDS = ("movie", "title", "genres")
_ITEM_FIELDS = ("movie", "title", "release date", "video release date", "url")


@dataclass(frozen=True)
class _Shape:
    ratings: str
    movies: str
    delimiter: str


_DAT = _Shape("ratings.dat", "movies.dat", "::")
_TAB = _Shape("u.data", "u.item", "\t")
HEADERLESS_FILES = (_DAT.ratings, _TAB.ratings)
RATINGS_FILES = ("ratings.csv", "rating.csv", *HEADERLESS_FILES)
CATALOGUE_FILES = ("movies.dat", "u.item", "u.genre")
RATINGS_HEADER = ("userId", "movieId", "rating")


def read_movielens(place: Place, rules: ReadingRules, reading: Reading) -> Found:
    """Read MovieLens from its folder, or from a ratings file with any name. Raises DataError."""
    found = _headerless(place)
    if found is None:
        return read_plain(place, rules, reading)
    source, shape = found
    opened = TextFile(source, rules, Layout(shape.delimiter, _FIELDS, quoted=False), reading)
    lacking = [name for name in _FIELDS[:3] if name not in opened.names]
    if lacking:
        told = f"{opened.name}: no column {', '.join(lacking)}; found: {shown(opened.names)}"
        raise DataError(f"{told}; wanted: {', '.join(_FIELDS[:3])}")
    columns = Columns(*_FIELDS[:3], time=_FIELDS[3] if _FIELDS[3] in opened.names else None)
    table = opened.read(opened.names)
    movies = place.find(shape.movies) if rules.catalogue else None
    if movies is None:
        return Found(source.path, table, columns, f"MovieLens, {opened.described}")
    read = _read_items if shape is _TAB else _read_movies
    catalogue = read(movies, place, rules, reading)
    return Found(source.path, table, columns, f"MovieLens, {opened.described}", catalogue, movies.name)


def _headerless(place: Place) -> tuple[Source, _Shape] | None:
    """The ratings file without a header line, and its shape; None if the ratings file has a header line."""
    if place.source is None:
        if any(place.find(name) for name in RATINGS_FILES[:2]):
            return None
        found = ((place.find(shape.ratings), shape) for shape in (_DAT, _TAB))
        return next(((source, shape) for source, shape in found if source is not None), None)
    lines = first_lines(place.source)
    for shape in (_DAT, _TAB):
        if lines and len(fields(lines[0], shape.delimiter)) > 1:
            return place.source, shape
    return None


def _read_movies(source: Source, place: Place, rules: ReadingRules, reading: Reading) -> Catalogue:
    """movies.dat: Latin-1 in MovieLens 1M, UTF-8 in its successors."""
    del place
    opened = TextFile(source, rules, Layout("::", _MOVIE_FIELDS, quoted=False), reading)
    if len(opened.names) < 2:
        raise DataError(f"{opened.name}:1: 1 field; allowed are {'::'.join(_MOVIE_FIELDS)}")
    table = opened.read(opened.names)
    titles, genres = table.texts("title"), table.texts("genres")
    separator = rules.genre_separator or find_separator(genres)
    return _gathered(table, titles, [split_genres(one, separator) for one in genres])


def _read_items(source: Source, place: Place, rules: ReadingRules, reading: Reading) -> Catalogue:
    """u.item of MovieLens 100K: Latin-1, a 0 or 1 per genre of u.genre after the five named fields."""
    listed = place.find("u.genre")
    genres: list[str] = []
    if listed is not None:
        layout = Layout("|", ("genre", "number"), quoted=False)
        names = TextFile(listed, rules, layout, reading).read(["genre"]).texts("genre")
        genres = [name for name in names if name is not None]
    lines = first_lines(source)
    width = len(fields(lines[0], "|")) if lines else 0
    flags = genres or [f"flag {place}" for place in range(width - len(_ITEM_FIELDS))]
    layout = Layout("|", (*_ITEM_FIELDS, *flags), quoted=False, encoding="latin-1")
    table = TextFile(source, rules, layout, reading).read(["movie", "title", *genres])
    flagged = [table.texts(genre) for genre in genres]
    chosen = [
        [name for name, flags in zip(genres, flagged, strict=True) if flags[row] == "1" and name != "unknown"]
        for row in range(table.num_rows)
    ]
    return _gathered(table, table.texts("title"), chosen)


def _gathered(table: Table, titles: list[str | None], genres: list[list[str]]) -> Catalogue:
    catalogue: Catalogue = {}
    for row, movie_id in enumerate(table.texts("movie")):
        if movie_id is not None:
            facts = {TITLE: titles[row], YEAR: year_of_title(titles[row]), GENRES: genres[row]}
            catalogue.setdefault(movie_id, facts)
    return catalogue
