"""MovieLens (grouplens.org/datasets/movielens) and sets written like it, in the three shapes it came in.

    latest, 20M, 25M, 32M    ratings.csv  userId,movieId,rating[,timestamp]   movies.csv  movieId,title,genres
    1M, 10M, MovieTweetings  ratings.dat  user::movie::rating[::timestamp]    movies.dat  movie::title::genres
    100K                     u.data       user, movie, rating, timestamp      u.item      movie|title|…|flags
                             (tabs)                                           u.genre     genre|number

The movie file lies beside the ratings and may be absent. A title keeps its '(1995)', which gives the year.
"""

from dataclasses import dataclass
from pathlib import Path

from train.dataset.data import GENRES, TITLE, YEAR, RatingsData
from train.errors import DataError
from train.readers.catalogue import Catalogue, split_genres, year_of_title
from train.readers.columns import ratings_data
from train.readers.text import Layout, header_names, read_text

_DAT_RATINGS = ("user", "movie", "rating", "timestamp")
_ITEM_FIELDS = ("movie", "title", "release date", "video release date", "url")


@dataclass(frozen=True)
class _Shape:
    ratings: str
    movies: str
    columns: tuple[str, str, str]
    layout: Layout


_CSV = _Shape("ratings.csv", "movies.csv", ("userId", "movieId", "rating"), Layout())
_DAT = _Shape("ratings.dat", "movies.dat", _DAT_RATINGS[:3], Layout("::", _DAT_RATINGS, quoted=False))
_TAB = _Shape("u.data", "u.item", _DAT_RATINGS[:3], Layout("\t", _DAT_RATINGS, quoted=False))
_SHAPES = (_CSV, _DAT, _TAB)

RATINGS_FILES = tuple(shape.ratings for shape in _SHAPES)
RATINGS_HEADER = _CSV.columns


def read_movielens(path: Path, rating_scale: tuple[float, float] | None = None) -> RatingsData:
    """Read MovieLens from its folder, or from a ratings file, whatever its name. Raises DataError."""
    shape = _shape(path)
    ratings = path / shape.ratings if path.is_dir() else path
    table = read_text(ratings, shape.columns, layout=shape.layout)
    return ratings_data(table, shape.columns, rating_scale, _read_catalogue(ratings.parent / shape.movies, shape))


def _shape(path: Path) -> _Shape:
    if path.is_dir():
        for shape in _SHAPES:
            if (path / shape.ratings).exists():
                return shape
        raise DataError(f"{path}: no MovieLens ratings; looked for {', '.join(RATINGS_FILES)}")
    if len(header_names(path, "::")) > 1:
        return _DAT
    return _TAB if len(header_names(path, "\t")) > 1 else _CSV


def _read_catalogue(path: Path, shape: _Shape) -> Catalogue | None:
    if not path.exists():
        return None
    if shape is _TAB:
        return _read_items(path)
    if shape is _CSV:
        names, layout = ("movieId", "title", "genres"), Layout()
    else:
        names = ("movie", "title", "genres")
        layout = Layout("::", names, quoted=False, encoding=_encoding(path))
    table = read_text(path, names[:2], names[2:], layout)
    catalogue: Catalogue = {}
    titles, genres = map(table.texts, names[1:])
    for row, movie_id in enumerate(table.keys(names[0])):
        if movie_id is not None:
            catalogue.setdefault(movie_id, _movie(titles[row], split_genres(genres[row])))
    return catalogue


def _read_items(path: Path) -> Catalogue:
    """u.item of MovieLens 100K: Latin-1, a 0 or 1 per genre of u.genre after the five named fields."""
    genres_path = path.with_name("u.genre")
    genres: list[str] = []
    if genres_path.exists():
        listed = read_text(genres_path, ("genre",), layout=Layout("|", ("genre", "number"), quoted=False))
        genres = [genre for genre in listed.texts("genre") if genre is not None]
    width = len(header_names(path, "|"))
    flags = genres or [f"flag {i}" for i in range(width - len(_ITEM_FIELDS))]
    layout = Layout("|", (*_ITEM_FIELDS, *flags), quoted=False, encoding="latin-1")
    table = read_text(path, ("movie", "title"), genres, layout)
    flagged = [table.texts(genre) for genre in genres]
    catalogue: Catalogue = {}
    titles = table.texts("title")
    for row, movie_id in enumerate(table.keys("movie")):
        chosen = [
            genre for genre, flags in zip(genres, flagged, strict=True) if flags[row] == "1" and genre != "unknown"
        ]
        if movie_id is not None:
            catalogue.setdefault(movie_id, _movie(titles[row], chosen))
    return catalogue


def _movie(title: str | None, genres: list[str]) -> dict[str, object]:
    return {TITLE: title, YEAR: year_of_title(title), GENRES: genres}


def _encoding(path: Path) -> str:
    """MovieLens 1M's movies.dat is Latin-1, its successors' are UTF-8; nothing in the file says which."""
    try:
        path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"
