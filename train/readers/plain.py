"""Any delimited text or Parquet file of ratings, its columns named by whoever asks."""

from dataclasses import dataclass
from pathlib import Path

from train.dataset.data import GENRES, TITLE, YEAR, RatingsData
from train.errors import DataError
from train.readers.catalogue import Catalogue, split_genres, year_of_title
from train.readers.columns import ratings_data
from train.readers.table import Table, read_parquet
from train.readers.text import Layout, read_text

PARQUET_SUFFIXES = (".parquet", ".pq")
TEXT_SUFFIXES = (".csv", ".tsv", ".txt")


@dataclass(frozen=True)
class Columns:
    """What the columns are called in the file; title, genres and year: in a movies file, if there.

    Genres are a list, or text with | between them. Without a year column the year is that of 'Title (1995)'.
    """

    user_id: str = "user_id"
    movie_id: str = "movie_id"
    rating: str = "rating"
    title: str = "title"
    genres: str = "genres"
    year: str = "year"

    def __post_init__(self) -> None:
        names = (self.user_id, self.movie_id, self.rating)
        if len(set(names)) < len(names):
            raise DataError(f"columns: got {', '.join(names)}; allowed are three different names")


def read_plain(
    path: Path,
    parquet: bool,
    rating_scale: tuple[float, float] | None = None,
    columns: Columns = Columns(),
    delimiter: str | None = None,
    movies: Path | None = None,
) -> RatingsData:
    """Read a file of ratings, and one of movies (its name tells whether that is Parquet). Raises DataError.

    delimiter: of the files that are text; where it is not given, a tab in .tsv and a comma in any other.
    """
    names = (columns.user_id, columns.movie_id, columns.rating)
    table = read_parquet(path, names) if parquet else _read_text(path, names, (), delimiter)
    catalogue = None if movies is None else _read_catalogue(movies, columns, delimiter)
    return ratings_data(table, names, rating_scale, catalogue)


def is_parquet(path: Path) -> bool:
    """Whether the name says so."""
    return path.suffix.lower() in PARQUET_SUFFIXES


def _read_text(path: Path, wanted: tuple[str, ...], optional: tuple[str, ...], delimiter: str | None) -> Table:
    tab_or_comma = "\t" if path.suffix.lower() == ".tsv" else ","
    return read_text(path, wanted, optional, Layout(delimiter or tab_or_comma))


def _read_catalogue(path: Path, columns: Columns, delimiter: str | None) -> Catalogue:
    wanted, optional = (columns.movie_id,), (columns.title, columns.genres, columns.year)
    table = read_parquet(path, wanted, optional) if is_parquet(path) else _read_text(path, wanted, optional, delimiter)
    titles, years = table.texts(columns.title), table.texts(columns.year)
    genres = [None] * table.num_rows
    if columns.genres in table.columns:
        genres = table.columns[columns.genres].to_pylist()
    catalogue: Catalogue = {}
    for row, movie_id in enumerate(table.keys(columns.movie_id)):
        if movie_id is None:
            raise DataError(f"{table.locate(row)}: {columns.movie_id} is empty; every movie needs one")
        year = year_of_title(titles[row]) if years[row] is None else table.whole_number(row, columns.year)
        fields = {TITLE: titles[row], YEAR: year, GENRES: split_genres(genres[row])}
        catalogue.setdefault(movie_id, fields)
    return catalogue
